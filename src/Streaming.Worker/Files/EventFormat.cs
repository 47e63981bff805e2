namespace Streaming.Worker;

/// <summary>Form of an event file, told by its first line.</summary>
internal enum EventFormat
{
    /// <summary>One JSON object a line: {"user_id", "item_id", "type", "event_time_ms", "event_id"?}, as schemas/interaction.schema.json has it.</summary>
    JsonLines,

    /// <summary>user,item,timestamp with a header; seconds or milliseconds since 1970.</summary>
    Columns,

    /// <summary>MovieLens ratings: userId,movieId,rating,timestamp; a rating counts as a view, one of 4 and above as a click.</summary>
    MovieLens,

    /// <summary>UCI Online Retail: InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country.</summary>
    OnlineRetail,
}
