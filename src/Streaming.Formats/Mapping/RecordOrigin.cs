namespace Streaming.Formats.Mapping;

/// <summary>What a record of a topic has besides its value. Valid for one record.</summary>
public abstract class RecordOrigin
{
    /// <summary>Gets the record's key, empty for none.</summary>
    public abstract ReadOnlySpan<byte> Key { get; }

    /// <summary>Gets the record's own time, Unix milliseconds, or null.</summary>
    public abstract long? Timestamp { get; }

    /// <summary>Finds a header; the last one of that name.</summary>
    public abstract bool TryFindHeader(string name, out ReadOnlySpan<byte> value);
}
