namespace Streaming.Formats.Mapping;

/// <summary>The shape of a record for a mapping.</summary>
internal enum RecordShape
{
    /// <summary>One event.</summary>
    One,

    /// <summary>A list whose elements are events.</summary>
    List,

    /// <summary>A deleted row: no event.</summary>
    Delete,
}
