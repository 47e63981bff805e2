using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Ingestion;

/// <summary>Reads a snapshot of <see cref="IngestState"/> from front to back: the head, then <see cref="Histories"/> to their end, then
/// <see cref="OpenIds"/> to its end, then <see cref="Complete"/>.</summary>
internal sealed class StoredIngest
{
    private readonly CheckedReader _reader;

    /// <summary>Reads the head.</summary>
    /// <param name="source">The bytes; untrusted.</param>
    /// <exception cref="InvalidDataException">Not a snapshot, a newer version, truncated or altered.</exception>
    public StoredIngest(Stream source)
    {
        _reader = new CheckedReader(source);
        if (_reader.ReadInt64() != IngestState.Magic)
        {
            throw new InvalidDataException("This is not an ingestion snapshot.");
        }

        Version = _reader.ReadInt64();
        if (Version is < 1 or > IngestState.Version)
        {
            throw new InvalidDataException(
                $"The ingestion snapshot has format version {Version}; this program reads versions 1 to {IngestState.Version}."
            );
        }

        NextSequence = _reader.ReadInt64(0, long.MaxValue, "next batch");
        Totals = new EventCounts
        {
            Read = _reader.ReadInt64(0, long.MaxValue, "read"),
            Decoded = _reader.ReadInt64(0, long.MaxValue, "decoded"),
            Trained = _reader.ReadInt64(0, long.MaxValue, "trained"),
            HistoryOnly = _reader.ReadInt64(0, long.MaxValue, "history only"),
            DeadLettered = _reader.ReadInt64(0, long.MaxValue, "dead-lettered"),
            Duplicates = _reader.ReadInt64(0, long.MaxValue, "duplicates"),
            Shed = Version == 1 ? 0 : _reader.ReadInt64(0, long.MaxValue, "shed"),
        };
        Histories = new StoredHistories(_reader, hasPartitions: Version >= 3);
    }

    /// <summary>Gets the format version.</summary>
    public long Version { get; }

    /// <summary>Gets the sequence number of the next batch.</summary>
    public long NextSequence { get; }

    /// <summary>Gets the counts of all records since the start of the stream.</summary>
    public EventCounts Totals { get; }

    /// <summary>Gets the histories.</summary>
    public StoredHistories Histories { get; }

    /// <summary>The dedup window; once the histories have been read.</summary>
    public StoredIds OpenIds() => new(_reader);

    /// <summary>Checks that the snapshot ends here.</summary>
    public void Complete() => _reader.Complete();
}
