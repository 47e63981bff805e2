using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Ingestion;

/// <summary>A snapshot of <see cref="IngestState"/>. Format: <see cref="CheckedWriter"/> frames; magic, version, next batch,
/// seven counts, histories (of each user: key, partition and count, items and times), dedup window.</summary>
internal sealed class IngestStateSnapshot(long nextSequence, EventCounts totals, HistorySnapshot histories, DedupSnapshot dedup)
    : IngestSnapshot
{
    public override void WriteTo(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        CheckedWriter writer = new(destination);
        writer.WriteInt64(IngestState.Magic);
        writer.WriteInt64(IngestState.Version);
        writer.WriteInt64(nextSequence);
        writer.WriteInt64(totals.Read);
        writer.WriteInt64(totals.Decoded);
        writer.WriteInt64(totals.Trained);
        writer.WriteInt64(totals.HistoryOnly);
        writer.WriteInt64(totals.DeadLettered);
        writer.WriteInt64(totals.Duplicates);
        writer.WriteInt64(totals.Shed);
        histories.WriteTo(writer);
        dedup.WriteTo(writer);
        writer.Complete();
    }

    public override void Dispose()
    {
        histories.Release();
        dedup.Release();
    }
}
