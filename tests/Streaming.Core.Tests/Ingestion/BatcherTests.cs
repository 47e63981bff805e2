using System.Text;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Options;
using Streaming.Core.Positions;
using Streaming.Core.Tests.Batches;
using Xunit;

namespace Streaming.Core.Tests.Ingestion;

public class BatcherTests
{
    private const long Now = 1_700_000_000_000;

    [Fact]
    public void Seal_MixedStream_CountsAddUp()
    {
        EventFeed feed = new(5000, seed: 1);
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), []);
        EventCounts sum = default;
        long examples = 0;
        long sequence = 0;
        foreach (Batch batch in feed.Run(batcher))
        {
            sum.Add(batch.Counts);
            examples += batch.Count;
            Assert.Equal(sequence++, batch.Sequence);
            Assert.Equal(batch.Counts.Trained, batch.Count);
        }

        Assert.Equal(feed.Count, sum.Read);
        Assert.Equal(sum.Read, sum.Trained + sum.HistoryOnly + sum.DeadLettered + sum.Duplicates);
        Assert.Equal(sum.Read, sum.Decoded + sum.DeadLettered);
        Assert.Equal(examples, sum.Trained);
        Assert.All([sum.Trained, sum.HistoryOnly, sum.DeadLettered, sum.Duplicates], static count => Assert.True(count > 100));
        Assert.Equal(sum, batcher.Totals);
    }

    [Fact]
    public void Seal_SameEventsWithoutLinger_GivesTheSameBatches()
    {
        EventFeed feed = new(2000, seed: 2);
        string[] first = [.. feed.Run(EventFeed.NewBatcher(EventFeed.NewState(), [])).Select(Describe)];
        string[] second = [.. feed.Run(EventFeed.NewBatcher(EventFeed.NewState(), [])).Select(Describe)];
        Assert.Equal(first, second);
    }

    /// <summary>Grown or not, batches cover the same events in the same order.</summary>
    [Theory]
    [InlineData(false, 16)]
    [InlineData(true, 48)]
    public void Seal_WhileTheTrainerIsBehind_BatchesGrowToTheCapacity(bool isBehind, int expected)
    {
        EventFeed feed = new(2000, seed: 2);
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), [], capacity: 48, isBehind: () => isBehind);
        Batch[] batches = [.. feed.Run(batcher)];
        Assert.All(batches[..^1], batch => Assert.Equal((expected, 16), (batch.Count, batch.FullSize)));
        Batch[] plain = [.. feed.Run(EventFeed.NewBatcher(EventFeed.NewState(), []))];
        Assert.Equal(Items(plain), Items(batches));

        static IEnumerable<ulong> Items(Batch[] batches) => batches.SelectMany(static batch => batch.ItemKeys.Take(batch.Count));
    }

    [Fact]
    public void IsDue_TrainerHasCaughtUp_AGrownBatchIsDueAtOnce()
    {
        bool isBehind = true;
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), [], batchSize: 2, capacity: 8, isBehind: () => isBehind);
        for (int i = 0; i < 3; i++)
        {
            Add(batcher, $"u{i}", "item", Now);
        }

        Assert.False(batcher.IsDue);
        Assert.Equal((5, 2), (batcher.Room, batcher.Capacity));
        isBehind = false;
        Assert.True(batcher.IsDue);
        Assert.Equal(3, batcher.Seal().Count);
    }

    [Theory]
    [InlineData(128, 0, 100, 256)]
    [InlineData(128, 300, 100, 300)]
    [InlineData(128, 0, -1, 128)]
    [InlineData(60_000, 0, 100, 65_536)]
    public void Capacity_OfOptions_IsOfGrownBatchesUnlessTheyDependOnEventsAlone(int size, int most, int linger, int expected)
    {
        BatcherOptions options = new()
        {
            BatchSize = size,
            MaxBatchSize = most,
            Linger = TimeSpan.FromMilliseconds(linger),
        };
        options.Validate();
        Assert.Equal(expected, options.Capacity);
    }

    [Fact]
    public void Validate_MaxBatchSizeBelowBatchSize_NamesBoth()
    {
        var options = new BatcherOptions { BatchSize = 128, MaxBatchSize = 64 };
        OptionsException error = Assert.Throws<OptionsException>(options.Validate);
        Assert.Contains("MaxBatchSize is 64; allowed: 0 (twice BatchSize), or BatchSize (128) … 65536", error.Message);
    }

    [Fact]
    public void Snapshot_OfAnyBatch_ContinuesAsIfNothingHadHappened()
    {
        EventFeed feed = new(3000, seed: 3);
        Batcher whole = EventFeed.NewBatcher(EventFeed.NewState(), [], checkpointBatches: 10);
        List<(string Text, byte[]? Snapshot, StreamPosition[] Positions)> batches = [];
        List<(IngestSnapshot Snapshot, int Index)> late = [];
        foreach (Batch batch in feed.Run(whole))
        {
            batches.Add((Describe(batch), null, [.. batch.Positions]));
            if (batch.Snapshot is not null)
            {
                late.Add((batch.Snapshot, batches.Count - 1));
            }
        }

        Assert.True(late.Count > 5);
        foreach ((IngestSnapshot snapshot, int index) in late)
        {
            // Written only now, after further batches: it must still have the state of its batch.
            using MemoryStream bytes = new();
            snapshot.WriteTo(bytes);
            snapshot.Dispose();
            bytes.Position = 0;
            var state = IngestState.Read(bytes, EventFeed.Histories(), EventFeed.Dedup());
            Batcher resumed = EventFeed.NewBatcher(state, batches[index].Positions, checkpointBatches: 10);
            Assert.Equal(batches.Skip(index + 1).Select(static batch => batch.Text), feed.Run(resumed).Select(Describe));
            Assert.Equal(whole.Totals, resumed.Totals);
        }
    }

    [Fact]
    public void Add_KnownUser_CarriesTheHistoryBeforeTheEvent()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), []);
        Add(batcher, "u", "a", Now);
        Add(batcher, "u", "b", Now + 2);
        Add(batcher, "u", "a", Now + 1); // arrives late, within the allowed lateness
        Add(batcher, "v", "c", Now);
        Batch batch = batcher.Seal();
        Assert.Equal(4, batch.Count);
        Assert.Equal([false, true, true, false], batch.IsKnownUser[..4]);
        Assert.Equal([false, false, true, false], batch.IsRepeat[..4]);
        Assert.Equal([0, 0, 1, 2, 2], batch.HistoryOffsets[..5]);
        Assert.Equal([Key("a"), Key("a")], batch.HistoryItems[..2]);
        Assert.Equal("abac", Encoding.UTF8.GetString(batch.ItemIdBytes, 0, batch.ItemIdOffsets[4]));
    }

    [Fact]
    public void Add_LateEvent_EntersTheHistoryOnly()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), []);
        Add(batcher, "u", "new", Now);
        Add(batcher, "u", "old", Now - 3_600_001);
        Add(batcher, "u", "next", Now + 1);
        Batch batch = batcher.Seal();
        Assert.Equal(
            new EventCounts
            {
                Read = 3,
                Decoded = 3,
                Trained = 2,
                HistoryOnly = 1,
            },
            batch.Counts
        );
        Assert.Equal([Key("old"), Key("new")], batch.HistoryItems[..2]);
    }

    [Fact]
    public void IsDue_Linger_RunsFromTheFirstRecord()
    {
        FixedTime time = new(Now);
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), [], linger: TimeSpan.FromMilliseconds(100), time: time);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(batcher.IsDue);
        Assert.Equal(Timeout.InfiniteTimeSpan, batcher.RemainingLinger());
        batcher.Reject();
        batcher.Advance(0, 0, 0);
        time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(batcher.IsDue);
        Assert.Equal(TimeSpan.FromMilliseconds(1), batcher.RemainingLinger());
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(batcher.IsDue);
        Assert.Equal([new StreamPosition("events", 0, 1)], batcher.Seal().Positions);
        Assert.False(batcher.IsDue);
    }

    [Fact]
    public void Seal_WithoutACheckpointThatIsDue_LeavesItDue()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), []);
        batcher.RequestCheckpoint();
        Assert.Null(batcher.Seal(checkpoint: false).Snapshot);
        Assert.True(batcher.IsCheckpointDue);
        using IngestSnapshot? snapshot = batcher.Seal().Snapshot;
        Assert.NotNull(snapshot);
        Assert.False(batcher.IsCheckpointDue);
    }

    [Fact]
    public void IsDue_OnlyBadRecords_TheBatchStillEnds()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), [], batchSize: 4);
        int records = 0;
        while (!batcher.IsDue)
        {
            batcher.Reject();
            batcher.Advance(0, 0, records++);
        }

        Assert.Equal(64, records);
        Assert.Equal(64, batcher.Seal().Counts.DeadLettered);
    }

    [Fact]
    public void RequestCheckpoint_Asked_OneBatchCarriesASnapshot()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), []);
        Assert.Null(batcher.Seal().Snapshot);
        batcher.RequestCheckpoint();
        Assert.True(batcher.IsCheckpointRequested);
        using IngestSnapshot? snapshot = batcher.Seal().Snapshot;
        Assert.NotNull(snapshot);
        Assert.False(batcher.IsCheckpointRequested);
        Assert.Null(batcher.Seal().Snapshot);
    }

    [Fact]
    public void Add_LongIds_GrowTheIdBuffer()
    {
        Batcher batcher = EventFeed.NewBatcher(EventFeed.NewState(), [], batchSize: 8);
        string[] items = [.. Enumerable.Range(0, 8).Select(static i => new string((char)('a' + i), 256))];
        foreach (string item in items)
        {
            Add(batcher, "u", item, Now);
        }

        Batch batch = batcher.Seal();
        Assert.Equal(
            items,
            Enumerable
                .Range(0, 8)
                .Select(i =>
                    Encoding.UTF8.GetString(batch.ItemIdBytes, batch.ItemIdOffsets[i], batch.ItemIdOffsets[i + 1] - batch.ItemIdOffsets[i])
                )
        );
    }

    [Fact]
    public void Add_SteadyStream_AllocatesNothing()
    {
        IngestState state = new(new HistoryOptions { Length = 50, MaxUsers = 500 }, new DedupOptions { Capacity = 5000 });
        BatchPool pool = new(128, 50);
        EventRules rules = new(new EventTypes(new Dictionary<string, float>()), TimeSpan.FromDays(1), TimeProvider.System);
        Batcher batcher = new(
            new BatcherOptions { BatchSize = 128 },
            rules,
            state,
            new StreamPositions(["t"], []),
            pool,
            TimeProvider.System
        );
        Feed(batcher, pool, 0, 100_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Feed(batcher, pool, 100_000, 100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Feed(Batcher batcher, BatchPool pool, int first, int count)
    {
        Span<byte> user = stackalloc byte[16];
        Span<byte> id = stackalloc byte[16];
        for (int i = first; i < first + count; i++)
        {
            // 700 users for 500 slots: evictions are part of the steady state.
            System.Buffers.Text.Utf8Formatter.TryFormat((i * 31) % 700, user, out int userLength);
            System.Buffers.Text.Utf8Formatter.TryFormat(i, id, out int idLength);
            batcher.Add(
                new InteractionEvent
                {
                    UserId = user[..userLength],
                    ItemId = user[..userLength],
                    EventId = id[..idLength],
                    EventTime = Now + i,
                },
                Now + i,
                i & 3
            );
            batcher.Advance(0, i & 3, i);
            if (batcher.IsDue)
            {
                pool.Return(batcher.Seal());
            }
        }
    }

    private static void Add(Batcher batcher, string user, string item, long time) =>
        Assert.Equal(
            DeadLetterReason.None,
            batcher.Add(
                new InteractionEvent
                {
                    UserId = Encoding.UTF8.GetBytes(user),
                    ItemId = Encoding.UTF8.GetBytes(item),
                    Type = "view"u8,
                    EventTime = time,
                },
                time,
                0
            )
        );

    private static ulong Key(string id) => XxHash64.Hash(Encoding.UTF8.GetBytes(id));

    private static string Describe(Batch batch)
    {
        StringBuilder text = new();
        text.Append(batch.Sequence).Append(' ').Append(batch.Counts).Append(' ').AppendJoin(',', batch.Positions);
        for (int i = 0; i < batch.Count; i++)
        {
            text.Append('\n')
                .Append(batch.UserKeys[i])
                .Append(' ')
                .Append(batch.ItemKeys[i])
                .Append(' ')
                .Append(batch.Weights[i])
                .Append(' ')
                .Append(batch.EventTimes[i])
                .Append(batch.IsRepeat[i])
                .Append(batch.IsKnownUser[i])
                .Append(": ")
                .AppendJoin(' ', batch.HistoryItems[batch.HistoryOffsets[i]..batch.HistoryOffsets[i + 1]]);
        }

        return text.ToString();
    }
}
