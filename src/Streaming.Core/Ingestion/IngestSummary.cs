using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;

namespace Streaming.Core.Ingestion;

/// <summary>Summary of an ingestion snapshot.</summary>
/// <param name="Version">Format version.</param>
/// <param name="NextSequence">Sequence number of the next batch.</param>
/// <param name="Totals">Counts of all records since the start of the stream.</param>
/// <param name="Users">Users with a history.</param>
/// <param name="HistoryItems">Items in all histories.</param>
/// <param name="EventIds">Event ids in the dedup window.</param>
/// <param name="UnknownPartitions">Of <paramref name="Users"/>, those whose partition is unknown.</param>
public sealed record IngestSummary(
    long Version,
    long NextSequence,
    EventCounts Totals,
    long Users,
    long HistoryItems,
    long EventIds,
    long UnknownPartitions
)
{
    /// <summary>Scans a snapshot, verifying every frame, in constant memory.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot, a newer version, truncated or altered.</exception>
    public static IngestSummary Read(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        StoredIngest stored = new(source);
        long users = 0,
            items = 0,
            unknown = 0,
            ids = 0;
        while (stored.Histories.MoveNext())
        {
            users++;
            items += stored.Histories.Items.Length;
            unknown += stored.Histories.Partition == HistoryStore.UnknownPartition ? 1 : 0;
        }

        StoredIds window = stored.OpenIds();
        while (window.MoveNext())
        {
            ids++;
        }

        stored.Complete();
        return new IngestSummary(stored.Version, stored.NextSequence, stored.Totals, users, items, ids, unknown);
    }

    /// <summary>The summary of this rank and another: sums, and the larger number of the next batch.</summary>
    public IngestSummary With(IngestSummary other)
    {
        ArgumentNullException.ThrowIfNull(other);
        EventCounts totals = Totals;
        totals.Add(other.Totals);
        return new IngestSummary(
            Math.Max(Version, other.Version),
            Math.Max(NextSequence, other.NextSequence),
            totals,
            Users + other.Users,
            HistoryItems + other.HistoryItems,
            EventIds + other.EventIds,
            UnknownPartitions + other.UnknownPartitions
        );
    }
}
