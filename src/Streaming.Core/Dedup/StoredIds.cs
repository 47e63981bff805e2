using Streaming.Core.Snapshots;

namespace Streaming.Core.Dedup;

/// <summary>Reads what <see cref="DedupSnapshot.WriteTo"/> wrote, an event id at a time, oldest first.</summary>
internal sealed class StoredIds
{
    private readonly CheckedReader _reader;
    private long _left;

    /// <summary>Reads the head.</summary>
    /// <param name="reader">At the beginning of the window; after the last id it is at its end.</param>
    /// <exception cref="InvalidDataException">The head is out of range.</exception>
    public StoredIds(CheckedReader reader)
    {
        _reader = reader;
        _left = reader.ReadInt64(0, 100_000_000, "number of event ids");
        Now = reader.ReadInt64();
    }

    /// <summary>Gets the newest time that the window had seen, Unix milliseconds; <see cref="long.MinValue"/>: none.</summary>
    public long Now { get; }

    /// <summary>Gets the hash of the current id.</summary>
    public ulong Hash { get; private set; }

    /// <summary>Gets when it was added, Unix milliseconds.</summary>
    public long Time { get; private set; }

    /// <summary>Gets when it was added, counted from <see cref="Now"/>: 0 or less, ascending.</summary>
    public long Age => Time - Now;

    /// <summary>Reads the next id.</summary>
    /// <returns>False after the last one.</returns>
    /// <exception cref="InvalidDataException">The stream is truncated or altered.</exception>
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        _left--;
        Hash = (ulong)_reader.ReadInt64();
        Time = _reader.ReadInt64();
        return true;
    }
}
