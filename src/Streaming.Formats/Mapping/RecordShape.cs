namespace Streaming.Formats.Mapping;

/// <summary>What a record holds for a mapping.</summary>
internal enum RecordShape
{
    /// <summary>One event.</summary>
    One,

    /// <summary>A list, of which each element is an event.</summary>
    List,

    /// <summary>The account of a row that was deleted: none.</summary>
    Delete,
}
