using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Ingestion;

/// <summary>Summary of an ingestion snapshot.</summary>
/// <param name="Version">Format version.</param>
/// <param name="NextSequence">Sequence number of the next batch.</param>
/// <param name="Totals">Counts of all records since the start of the stream.</param>
/// <param name="Users">Users with a history.</param>
/// <param name="HistoryItems">Items in all histories.</param>
/// <param name="EventIds">Event ids in the dedup window.</param>
public sealed record IngestSummary(long Version, long NextSequence, EventCounts Totals, long Users, long HistoryItems, long EventIds)
{
    /// <summary>Scans a snapshot, verifying every frame, in constant memory.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot, a newer version, truncated or altered.</exception>
    public static IngestSummary Read(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        CheckedReader reader = new(source);
        long version = IngestState.ReadHead(reader);
        long next = reader.ReadInt64(0, long.MaxValue, "next batch");
        EventCounts totals = IngestState.ReadCounts(reader, version);
        long users = reader.ReadInt64(0, 100_000_000, "number of users");
        reader.ReadInt64(0, long.MaxValue, "evictions");
        long items = 0;
        for (long user = 0; user < users; user++)
        {
            reader.ReadInt64();
            long count = reader.ReadInt64(1, HistoryStore.MaxLength, "history length");
            Skip(reader, 2 * count);
            items += count;
        }

        long ids = reader.ReadInt64(0, 100_000_000, "number of event ids");
        Skip(reader, 1 + (2 * ids));
        reader.Complete();
        return new IngestSummary(version, next, totals, users, items, ids);
    }

    private static void Skip(CheckedReader reader, long words)
    {
        for (long i = 0; i < words; i++)
        {
            reader.ReadInt64();
        }
    }
}
