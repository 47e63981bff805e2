using Streaming.Core.Snapshots;

namespace Streaming.Core.Histories;

/// <summary>Reads what <see cref="HistorySnapshot.WriteTo"/> wrote, a user at a time: from the least to the most recently active.</summary>
internal sealed class StoredHistories
{
    /// <summary>A user's count and partition are one word.</summary>
    internal const int PartitionShift = 32;

    private readonly CheckedReader _reader;
    private readonly bool _hasPartitions;
    private readonly long[] _items = new long[HistoryStore.MaxLength];
    private readonly long[] _times = new long[HistoryStore.MaxLength];
    private long _left;
    private int _count;

    /// <summary>Reads the head.</summary>
    /// <param name="reader">At the beginning of the histories; after the last user it is at their end.</param>
    /// <param name="hasPartitions">Whether the users' partitions are stored.</param>
    /// <exception cref="InvalidDataException">The head is out of range.</exception>
    public StoredHistories(CheckedReader reader, bool hasPartitions)
    {
        (_reader, _hasPartitions) = (reader, hasPartitions);
        _left = reader.ReadInt64(0, 100_000_000, "number of users");
        Evictions = reader.ReadInt64(0, long.MaxValue, "evictions");
    }

    /// <summary>Gets the number of users that the writer had evicted.</summary>
    public long Evictions { get; }

    /// <summary>Gets the key of the current user.</summary>
    public ulong User { get; private set; }

    /// <summary>Gets its partition, or <see cref="HistoryStore.UnknownPartition"/>.</summary>
    public int Partition { get; private set; }

    /// <summary>Gets its items, oldest first; at least one.</summary>
    public ReadOnlySpan<long> Items => _items.AsSpan(0, _count);

    /// <summary>Gets the time of each item, ascending.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, _count);

    /// <summary>Reads the next user.</summary>
    /// <returns>False after the last one.</returns>
    /// <exception cref="InvalidDataException">A value is out of range, or the stream is truncated or altered.</exception>
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        _left--;
        User = (ulong)_reader.ReadInt64();
        long head = _reader.ReadInt64();
        long partition = _hasPartitions ? head >> PartitionShift : HistoryStore.UnknownPartition;
        Partition = (int)Range(partition, 0, HistoryStore.UnknownPartition, "partition");
        _count = (int)Range(_hasPartitions ? (uint)head : head, 1, HistoryStore.MaxLength, "history length");
        for (int entry = 0; entry < _count; entry++)
        {
            _items[entry] = _reader.ReadInt64();
            _times[entry] = _reader.ReadInt64(entry == 0 ? long.MinValue : _times[entry - 1], long.MaxValue, "event time in order");
        }

        return true;
    }

    private static long Range(long value, long min, long max, string what) =>
        value >= min && value <= max
            ? value
            : throw new InvalidDataException($"The ingestion snapshot has {what} {value}; allowed: {min} to {max}.");
}
