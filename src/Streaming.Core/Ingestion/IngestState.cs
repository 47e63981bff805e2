using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;

namespace Streaming.Core.Ingestion;

/// <summary>The state that ingestion keeps between events: histories, dedup window, counts, the sequence number of the next
/// batch.</summary>
/// <remarks>One thread owns it. <see cref="Share"/> takes a snapshot in well under a millisecond for a million users, plus
/// a copy of 4 bytes per user; while the snapshot lives, each page is copied once when first written.</remarks>
public sealed partial class IngestState
{
    /// <summary>"STREAMIN" in ASCII, little-endian.</summary>
    internal const long Magic = 0x4E49_4D41_4552_5453;

    /// <summary>Version 1 did not count shed events; version 2 did not keep the users' partitions.</summary>
    internal const long Version = 3;

    /// <summary>Creates the state of a new stream.</summary>
    public IngestState(HistoryOptions histories, DedupOptions dedup)
    {
        Histories = new HistoryStore(histories);
        Dedup = new DedupWindow(dedup);
    }

    /// <summary>Gets the histories.</summary>
    public HistoryStore Histories { get; }

    /// <summary>Gets the dedup window.</summary>
    public DedupWindow Dedup { get; }

    /// <summary>Gets the counts of all records since the start of the stream, up to the last sealed batch.</summary>
    public EventCounts Totals { get; internal set; }

    /// <summary>Gets the sequence number of the next batch.</summary>
    public long NextSequence { get; internal set; }

    /// <summary>Reads a snapshot.</summary>
    /// <param name="source">The bytes; untrusted: every word is checked, and the options bound the memory.</param>
    /// <param name="histories">Bounds of the histories; may differ from those of the writer.</param>
    /// <param name="dedup">Bounds of the dedup window; may differ from those of the writer.</param>
    /// <exception cref="InvalidDataException">Not a snapshot, a newer version, truncated or altered.</exception>
    public static IngestState Read(Stream source, HistoryOptions histories, DedupOptions dedup)
    {
        ArgumentNullException.ThrowIfNull(source);
        IngestState state = new(histories, dedup);
        StoredIngest stored = new(source);
        state.NextSequence = stored.NextSequence;
        state.Totals = stored.Totals;
        state.Histories.ReadFrom(stored.Histories);
        state.Dedup.ReadFrom(stored.OpenIds());
        stored.Complete();
        return state;
    }

    /// <summary>Takes a snapshot.</summary>
    public IngestSnapshot Share() => new IngestStateSnapshot(NextSequence, Totals, Histories.Share(), Dedup.Share());
}
