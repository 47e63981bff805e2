namespace Streaming.Formats.Mapping;

/// <summary>Source of a mapped value.</summary>
public enum FieldSource
{
    /// <summary>A field of the record.</summary>
    Field,

    /// <summary>The mapping itself: <c>:text</c>.</summary>
    Constant,

    /// <summary>The record's key: <c>$key</c>.</summary>
    Key,

    /// <summary>The record's timestamp: <c>$timestamp</c>.</summary>
    Timestamp,

    /// <summary>A header of the record: <c>$header.name</c>.</summary>
    Header,
}
