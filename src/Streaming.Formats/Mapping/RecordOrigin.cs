namespace Streaming.Formats.Mapping;

/// <summary>The metadata of a topic's record. Valid for one record.</summary>
public abstract class RecordOrigin
{
    /// <summary>Gets the record's key, empty for none.</summary>
    public abstract ReadOnlySpan<byte> Key { get; }

    /// <summary>Gets the record's timestamp, Unix milliseconds, or null.</summary>
    public abstract long? Timestamp { get; }

    /// <summary>Finds the last header of a name.</summary>
    public abstract bool TryFindHeader(string name, out ReadOnlySpan<byte> value);
}
