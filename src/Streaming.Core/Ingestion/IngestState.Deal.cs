using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;

namespace Streaming.Core.Ingestion;

/// <content>The states of N ranks are dealt to M.</content>
public sealed partial class IngestState
{
    /// <summary>Gets what came of dealing, if this state was dealt; else null.</summary>
    public IngestDealing? Dealing { get; private set; }

    /// <summary>
    /// Deals the snapshots of N ranks to M, of which this is one. Holds no more than this rank's part and a user of each snapshot.
    /// </summary>
    /// <remarks>
    /// <list type="bullet">
    /// <item>A user goes to the rank that reads its partition: partition mod M. A user of unknown partition goes to every rank, because any
    /// may read its next event: whoever does knows the partition from then on, and the copies of the others are never used and are
    /// evicted as users who do not come back are.</item>
    /// <item>Where several copies of a user come to one rank, because its partition was unknown or the topic has grown, they become the
    /// union of their entries, the newest L kept; the partition is that of the newest copy whose partition is known.</item>
    /// <item>Users count as active in order of their newest events. Beyond the bounds of <paramref name="histories"/> the least recently
    /// active are forgotten.</item>
    /// <item>The dedup window of every rank is the union of all, by age; the newest ids, if there are more than
    /// <see cref="DedupOptions.Capacity"/>.</item>
    /// <item>Totals and evictions: rank 0 has the sums, the others begin at zero. The next batch has the largest number of all.</item>
    /// </list>
    /// </remarks>
    /// <param name="sources">The snapshots of all N ranks, in rank order; untrusted.</param>
    /// <param name="rank">The rank to deal to, 0 … <paramref name="size"/> − 1.</param>
    /// <param name="size">Number of ranks to deal to, M, 1 and up.</param>
    /// <param name="histories">Bounds of this rank's histories.</param>
    /// <param name="dedup">Bounds of this rank's dedup window.</param>
    /// <exception cref="InvalidDataException">Not a snapshot, a newer version, truncated or altered.</exception>
    public static IngestState Deal(IReadOnlyList<Stream> sources, int rank, int size, HistoryOptions histories, DedupOptions dedup)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentOutOfRangeException.ThrowIfZero(sources.Count, nameof(sources));
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)size, nameof(rank));
        IngestState state = new(histories, dedup);
        StoredIngest[] parts = [.. sources.Select(static source => new StoredIngest(source))];
        (long users, long unknown) = state.Histories.ReadFrom([.. parts.Select(static part => part.Histories)], rank, size);
        long usersForgotten = state.Histories.Evictions;
        long ids = state.Dedup.ReadFrom([.. parts.Select(static part => part.OpenIds())]);
        state.NextSequence = parts.Max(static part => part.NextSequence);
        foreach (StoredIngest part in parts)
        {
            part.Complete();
            if (rank == 0)
            {
                state.AddTotals(part);
            }
        }

        state.Dealing = new IngestDealing(sources.Count, users, unknown, usersForgotten, ids - state.Dedup.Count);
        return state;
    }

    private void AddTotals(StoredIngest part)
    {
        EventCounts totals = Totals;
        totals.Add(part.Totals);
        Totals = totals;
        Histories.AddEvictions(part.Histories.Evictions);
    }
}
