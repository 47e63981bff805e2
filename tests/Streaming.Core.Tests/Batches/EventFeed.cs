using System.Text;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;

namespace Streaming.Core.Tests.Batches;

/// <summary>A reproducible stream of events in several partitions (valid, malformed, late, duplicated), fed into a batcher.</summary>
internal sealed class EventFeed
{
    private const long Start = 1_700_000_000_000;
    private readonly List<(byte[] User, byte[] Item, byte[] Type, byte[] Id, long Time, int Partition, long Offset)> _events = [];

    public EventFeed(int count, int seed)
    {
        Random random = new(seed);
        long[] offsets = new long[3];
        for (int i = 0; i < count; i++)
        {
            int user = random.Next(60);
            int partition = user % 3;
            string id = random.Next(10) == 0 ? $"e{random.Next(i + 1)}" : $"e{i}";
            string type = random.Next(8) switch
            {
                0 => "impression",
                1 => "strange",
                _ => "view",
            };
            long time = Start + (i * 1000L) + (random.Next(10) == 0 ? -7_200_000 : random.Next(-5000, 5000));
            string item = random.Next(40) == 0 ? string.Empty : $"item-{random.Next(80)}";
            _events.Add((Utf8($"user-{user}"), Utf8(item), Utf8(type), Utf8(id), time, partition, offsets[partition]++));
        }
    }

    public int Count => _events.Count;

    public static IngestState NewState() => new(Histories(), Dedup());

    public static HistoryOptions Histories() => new() { Length = 6, MaxUsers = 40 };

    public static DedupOptions Dedup() => new() { Capacity = 500, Window = TimeSpan.FromDays(1) };

    public static Batcher NewBatcher(
        IngestState state,
        IEnumerable<StreamPosition> positions,
        int batchSize = 16,
        int checkpointBatches = 0,
        TimeSpan? linger = null,
        TimeProvider? time = null,
        HistoryFeed? feed = null,
        LoadShedding? shedding = null,
        int capacity = 0,
        Func<bool>? isBehind = null
    )
    {
        Dictionary<string, float> weights = new(StringComparer.Ordinal) { ["view"] = 1f, ["impression"] = 0f };
        time ??= new FixedTime(Start + 1_000_000_000);
        EventRules rules = new(new EventTypes(weights, strict: true), TimeSpan.Zero, time);
        BatcherOptions options = new()
        {
            BatchSize = batchSize,
            Linger = linger ?? Timeout.InfiniteTimeSpan,
            AllowedLateness = TimeSpan.FromHours(1),
            CheckpointBatches = checkpointBatches,
        };
        return new Batcher(
            options,
            rules,
            state,
            new StreamPositions(["events"], positions),
            new BatchPool(Math.Max(batchSize, capacity), state.Histories.Length),
            time,
            feed,
            shedding,
            isBehind
        );
    }

    /// <summary>Feeds every event from the batcher's positions on.</summary>
    public IEnumerable<Batch> Run(Batcher batcher, bool sealLast = true)
    {
        foreach ((byte[] User, byte[] Item, byte[] Type, byte[] Id, long Time, int Partition, long Offset) candidate in _events)
        {
            if (candidate.Offset < batcher.Positions[0, candidate.Partition])
            {
                continue;
            }

            InteractionEvent next = new()
            {
                UserId = candidate.User,
                ItemId = candidate.Item,
                Type = candidate.Type,
                EventId = candidate.Id,
                EventTime = candidate.Time,
            };
            batcher.Add(next, candidate.Time, candidate.Partition);
            batcher.Advance(0, candidate.Partition, candidate.Offset);
            if (batcher.IsDue)
            {
                yield return batcher.Seal();
            }
        }

        if (sealLast && !batcher.IsEmpty)
        {
            yield return batcher.Seal();
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
