using Streaming.Core.Embeddings;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Refreshes;
using Streaming.Learning.Counts;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public sealed class RefreshCollectorTests : IDisposable
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = 2_048,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 16,
    };
    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Ratio = 0 },
        EvaluateEvery = -1,
        LearningRate = new LearningRateOptions { Peak = 0.1f, WarmupSteps = 0 },
        Refresh = new RefreshOptions { RefreshInterval = TimeSpan.FromSeconds(10) },
    };

    private readonly FakeEngine _engine = new(Model);
    private readonly RefreshOutbox _outbox = new();
    private readonly Trainer _trainer;
    private long _now = 1_000_000;
    private static readonly IEqualityComparer<double> Near = EqualityComparer<double>.Create((a, b) => Math.Abs(a - b) < 1e-4, value => 0);
    private long _sequence;

    public RefreshCollectorTests() => _trainer = new Trainer(_engine, Options);

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
        _outbox.Dispose();
    }

    [Fact]
    public async Task Collect_TouchedItems_ArePostedOnceWithTheirTimes()
    {
        _trainer.Train(
            Batch().Add("a", [], time: 10, produced: 700).Add("b", ["a"], time: 12, produced: 800).Add("a", ["b"], time: 11, produced: 900)
        );
        Assert.Equal(["a", "b"], (await Collect()).Select(refresh => refresh.ItemId).Order());
        Assert.Empty(await Collect());

        _trainer.Train(Batch().Add("b", ["a"], time: 20, produced: 950));
        List<Refresh> refreshes = await Collect();
        Refresh b = refreshes.Single(refresh => refresh.ItemId == "b");
        Assert.Equal((2, 20, 950), (b.Step, b.EventTime, b.ProducedTime));
        Assert.Equal(_engine.Embedding(_trainer.Items.Find(Batches.Key("b"))).ToArray(), b.Vector);

        // Training moved the history's item without an event for it: it is not used to measure freshness.
        Refresh a = refreshes.Single(refresh => refresh.ItemId == "a");
        Assert.Equal((11, 0), (a.EventTime, a.ProducedTime));
    }

    [Fact]
    public async Task Collect_CountedItems_BringTheirListsBestFirst()
    {
        _trainer.Train(Batch().Add("a", []).Add("b", ["a"]).Add("a", ["c"]).Add("b", ["a"]).Add("c", ["a", "b"]));
        var lists = (await Collect()).ToDictionary(refresh => refresh.ItemId, refresh => refresh.Related);

        // n(a) = 2, n(b) = 2, n(c) = 1; together: a and b 2, a and c 2, b and c 1; after a: b 2; after b: c 1.
        RelatedItems a = lists["a"]!;
        Assert.Equal(10, a.Window);
        Assert.Equal([Batches.Key("c"), Batches.Key("b")], a.Neighbors.Select(item => item.Item));
        Assert.Equal([2 / Math.Sqrt(2), 2 / 2.0], a.Neighbors.Select(item => (double)item.Weight), Near);
        Assert.Equal([Batches.Key("b")], a.Successors.Select(item => item.Item));
        Assert.Equal([2 / 2.0], a.Successors.Select(item => (double)item.Weight), Near);
        Assert.Equal([Batches.Key("c")], lists["b"]!.Successors.Select(item => item.Item));

        // When a came after c, c had no row yet.
        Assert.Equal([Batches.Key("a"), Batches.Key("b")], lists["c"]!.Neighbors.Select(item => item.Item));
        Assert.Empty(lists["c"]!.Successors);
    }

    [Fact]
    public async Task Collect_ListsLimited_AreThePrefix()
    {
        using var trainer = new Trainer(_engine, Options with { Counts = new CountOptions { Published = 1 } });
        trainer.Train(Batch().Add("a", []).Add("b", ["a"]).Add("a", ["c"]).Add("b", ["a"]).Add("c", ["a", "b"]));
        using var outbox = new RefreshOutbox();
        trainer.CollectRefreshes(outbox, _now);
        List<Refresh> refreshes = [];
        await outbox.TakeAsync(refreshes, 100, TestContext.Current.CancellationToken);

        Assert.Equal(Batches.Key("c"), Assert.Single(refreshes.Single(refresh => refresh.ItemId == "a").Related!.Neighbors).Item);
    }

    [Fact]
    public async Task Collect_EarliestProducedTime_IsKept()
    {
        _trainer.Train(Batch().Add("a", [], produced: 900).Add("a", [], produced: 700).Add("a", [], produced: 800));
        Assert.Equal(700, Assert.Single(await Collect()).ProducedTime);
    }

    [Fact]
    public async Task Collect_NewCatalogueItem_IsPostedBeforeItsFirstEvent()
    {
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("new"),
                ItemId = "new",
                ProducedTime = 500,
            }
        );
        _trainer.Train(batch);
        Refresh refresh = Assert.Single(await Collect());

        // Freshness is of events: a compacted record may be years old.
        Assert.Equal(("new", 0L, 0L), (refresh.ItemId, refresh.ProducedTime, refresh.EventTime));
        Assert.NotNull(refresh.Vector);
    }

    [Fact]
    public async Task Collect_RemovedItem_IsPostedAsARemoval()
    {
        _trainer.Train(Batch().Add("a", []).Add("b", []));
        await Collect();
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("a"),
                ItemId = "a",
                IsRemoved = true,
            }
        );
        _trainer.Train(batch);
        Refresh refresh = Assert.Single(await Collect());
        Assert.Equal("a", refresh.ItemId);
        Assert.Null(refresh.Vector);
    }

    [Fact]
    public async Task Collect_RemovedAndBackInTheCatalogue_IsPostedAlive()
    {
        _trainer.Train(Batch().Add("a", []));
        await Collect();
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("a"),
                ItemId = "a",
                IsRemoved = true,
            }
        );
        batch.ItemChanges.Add(new ItemChange { ItemKey = Batches.Key("a"), ItemId = "a" });
        _trainer.Train(batch);
        Assert.NotNull(Assert.Single(await Collect()).Vector);
    }

    [Fact]
    public async Task Collect_EventOfARemovedItem_IsStillPostedAsARemoval()
    {
        _trainer.Train(Batch().Add("a", []));
        await Collect();
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("a"),
                ItemId = "a",
                IsRemoved = true,
            }
        );
        _trainer.Train(batch.Add("a", []));
        Assert.Null(Assert.Single(await Collect()).Vector);
    }

    [Fact]
    public async Task Collect_EvictedByCapacity_PostsTheRemoval()
    {
        using var engine = new FakeEngine(Model with { ItemCapacity = 4 });
        using var trainer = new Trainer(engine, Options);
        for (int i = 0; i < 6; i++)
        {
            trainer.Train(Batch().Add($"i{i}", []));
        }

        trainer.CollectRefreshes(_outbox, _now);
        List<Refresh> refreshes = await Drain();
        Assert.Equal(3, refreshes.Count(refresh => refresh.Vector is not null));
        Assert.Equal(3, refreshes.Count(refresh => refresh.Vector is null));
    }

    /// <summary>Without events every item is posted within the interval, at an even rate.</summary>
    [Fact]
    public async Task Collect_NothingTouched_PostsEveryItemWithinTheInterval()
    {
        await Fill(1_000);
        var seen = new HashSet<string>();
        for (int second = 0; second < 10; second++)
        {
            _now += 1_000;
            List<Refresh> refreshes = await Collect();
            Assert.InRange(refreshes.Count, 90, 110);
            seen.UnionWith(refreshes.Select(refresh => refresh.ItemId));
        }

        Assert.Equal(1_000, seen.Count);
    }

    [Fact]
    public async Task Collect_LongPause_PostsEveryItemOnceAtMost()
    {
        await Fill(300);
        _now += 3_600_000;
        Assert.Equal(300, (await Collect()).Count);
    }

    [Fact]
    public async Task Collect_ClockSetBack_PostsNothingAndContinues()
    {
        await Fill(300);
        _now -= 500_000;
        Assert.Empty(await Collect());
        _now += 1_000;
        Assert.InRange((await Collect()).Count, 25, 35);
    }

    [Fact]
    public async Task RefreshAll_PostsEverythingAtOnce()
    {
        await Fill(300);
        _trainer.RefreshAll();
        Assert.Equal(300, (await Collect()).Count);
        Assert.Empty(await Collect());
    }

    /// <summary>Items moved by shared weights are posted before their turn.</summary>
    [Fact]
    public async Task Collect_SomeMovedMuch_PostsThemAheadOfTheOthers()
    {
        await Fill(1_000);
        var moved = new HashSet<string>();
        for (int i = 0; i < 50; i++)
        {
            int row = _trainer.Items.Rows[(i * 20) + 7];
            foreach (ref float value in _engine.Embedding(row))
            {
                value = -value;
            }

            moved.Add(_trainer.Items.IdOf(row));
        }

        var early = new HashSet<string>();
        for (int second = 0; second < 4; second++)
        {
            _now += 1_000;
            early.UnionWith((await Collect()).Select(refresh => refresh.ItemId).Where(moved.Contains));
        }

        // The turn alone would have reached 20 of the 50 by now; the look-ahead reaches all.
        Assert.Equal(50, early.Count);
    }

    [Fact]
    public async Task Collect_MoreThanTheBound_LeavesTheRestForTheNext()
    {
        using var trainer = new Trainer(_engine, Options with { Refresh = new RefreshOptions { MaxTouched = 10 } });
        Batch batch = Batch(capacity: 32);
        for (int i = 0; i < 25; i++)
        {
            batch.Add($"i{i}", []);
        }

        trainer.Train(batch);
        var seen = new HashSet<string>();
        for (int i = 0; i < 5; i++)
        {
            trainer.CollectRefreshes(_outbox, _now);
            List<Refresh> refreshes = await Drain();
            Assert.InRange(refreshes.Count, 0, 10);
            seen.UnionWith(refreshes.Select(refresh => refresh.ItemId));
        }

        Assert.Equal(25, seen.Count);
    }

    [Fact]
    public async Task Restore_OfATrainer_MarksEveryItemForPublishing()
    {
        await Fill(100);
        using var engine = new FakeEngine(Model);
        using var restored = new Trainer(engine, Options);
        using (TrainerSnapshot snapshot = _trainer.BeginSnapshot())
        {
            restored.Restore(snapshot.Engine, snapshot.Trainer);
        }

        restored.CollectRefreshes(_outbox, _now);
        Assert.Equal(100, (await Drain()).Count);
    }

    /// <summary>What has not moved is not sent again: only the confirmation, at the pace of the interval.</summary>
    [Fact]
    public async Task Collect_NothingMoved_IsConfirmedOnceAnIntervalWithListsAndNoMore()
    {
        await Fill(1_000);
        int posted = 0;
        for (int second = 0; second < 50; second++)
        {
            _now += 1_000;
            List<Refresh> refreshes = await Collect();
            Assert.All(
                refreshes,
                refresh => Assert.True(refresh is { IsUpkeep: true, ProducedTime: 0, Vector: not null, KeepsRelated: false })
            );
            posted += refreshes.Count;
        }

        Assert.InRange(posted, 4_900, 5_100);
        Assert.Equal(TimeSpan.Zero, _trainer.RefreshPass);
    }

    /// <summary>Once nothing is learned, turn and probe rest after each has passed over every row, wherever it was.</summary>
    [Fact]
    public void Due_NothingIsLearned_TurnAndProbePassOnceMore()
    {
        using var engine = new FakeEngine(Model with { ItemCapacity = 2_000 });
        var items = new ItemTable(engine, new ItemTableOptions());
        for (int i = 0; i < 1_000; i++)
        {
            items.Touch(Batches.Key($"i{i}"), "i"u8, 1);
        }

        var pace = new RefreshPace(items, TimeSpan.FromSeconds(10));
        var passed = new Dictionary<RefreshReason, int>();
        for (int second = 1; second <= 60; second++)
        {
            // The last step falls in the middle of a pass.
            pace.Advance(second * 1_000, step: Math.Min(second, 5), TimeSpan.MaxValue);
            foreach (RefreshReason reason in (RefreshReason[])[RefreshReason.Turn, RefreshReason.Probe])
            {
                for (; pace.Due(reason) > 0; pace.Next(reason))
                {
                    passed[reason] = passed.GetValueOrDefault(reason) + (second > 5 ? 1 : 0);
                }
            }
        }

        Assert.InRange(passed[RefreshReason.Turn], 900, 1_100);
        Assert.InRange(passed[RefreshReason.Probe], 900, 1_300);
        Assert.Equal(TimeSpan.Zero, pace.Pass);
        pace.OweAll();
        Assert.Equal(1_000, pace.Due(RefreshReason.Turn));
    }

    /// <summary>Beyond a thousand items per second the confirmation takes longer than the interval, unless values would expire.</summary>
    [Theory]
    [InlineData(1_000_000, 1_000)]
    [InlineData(4_000, 5_000)]
    public void Confirmation_OfMoreThanAThousandItemsPerSecond_IsSlowerUnlessValuesExpire(int expiryMilliseconds, int expectedPerSecond)
    {
        using var engine = new FakeEngine(Model with { ItemCapacity = 21_000 });
        var items = new ItemTable(engine, new ItemTableOptions());
        for (int i = 0; i < 20_000; i++)
        {
            items.Touch(Batches.Key($"i{i}"), "i"u8, 1);
        }

        var pace = new RefreshPace(items, TimeSpan.FromSeconds(4));
        int confirmed = 0;
        for (long now = 1_000; now <= 11_000; now += 500)
        {
            pace.Advance(now, step: 1, TimeSpan.FromMilliseconds(expiryMilliseconds));
            for (; pace.Due(RefreshReason.Confirm) > 0; confirmed++)
            {
                pace.Next(RefreshReason.Confirm);
            }
        }

        Assert.InRange(confirmed / 10, expectedPerSecond * 0.99, expectedPerSecond * 1.01);
    }

    [Fact]
    public async Task Collect_AllMoved_PostsEveryItemWithinTheIntervalAndSaysHowLongAPassTakes()
    {
        await Fill(1_000);
        var seen = new HashSet<string>();
        for (int second = 0; second < 11; second++)
        {
            foreach (int row in _trainer.Items.Rows)
            {
                _engine.Embedding(row)[0] += 1;
            }

            _trainer.Train(Batch().Add("item-1", []));
            _now += 1_000;
            seen.UnionWith((await Collect()).Select(refresh => refresh.ItemId));
        }

        Assert.Equal(1_000, seen.Count);
        Assert.InRange(_trainer.RefreshPass, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    /// <summary>A chunk that is not looked at in time keeps the pass from ending, and that is told.</summary>
    [Fact]
    public async Task Advance_NothingIsTaken_ThePassGrows()
    {
        await Fill(1_000);
        _trainer.Train(Batch().Add("item-1", []));
        for (int second = 0; second < 30; second++)
        {
            _now += 1_000;
            _trainer.AdvanceRefresh(_now, TimeSpan.MaxValue);
        }

        Assert.InRange(_trainer.RefreshPass, TimeSpan.FromSeconds(29), TimeSpan.FromSeconds(31));
    }

    /// <summary>The other thread has a copy; meanwhile the item is removed: it must not come back.</summary>
    [Fact]
    public async Task CollectRefresh_ItemRemovedMeanwhile_IsNotPosted()
    {
        await Fill(100);
        RefreshChunk chunk = Taken();
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("item-7"),
                ItemId = "item-7",
                IsRemoved = true,
            }
        );
        _trainer.Train(batch);
        _trainer.CollectChanges(_outbox);
        chunk.Look();
        _trainer.CollectRefresh(chunk, _outbox);
        List<Refresh> refreshes = await Drain();
        Assert.Null(refreshes.Single(refresh => refresh.ItemId == "item-7").Vector);
        Assert.Equal(100, refreshes.Count);
    }

    [Fact]
    public async Task CollectRefresh_RowGivenToAnotherItemMeanwhile_PostsNeitherInPlaceOfTheOther()
    {
        await Fill(100);
        RefreshChunk chunk = Taken();
        Batch batch = Batch();
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key("item-7"),
                ItemId = "item-7",
                IsRemoved = true,
            }
        );
        batch.ItemChanges.Add(new ItemChange { ItemKey = Batches.Key("other"), ItemId = "other" });
        int row = _trainer.Items.Find(Batches.Key("item-7"));
        _trainer.Train(batch);
        Assert.Equal(row, _trainer.Items.Find(Batches.Key("other")));
        chunk.Look();
        _trainer.CollectRefresh(chunk, _outbox);
        Assert.DoesNotContain(await Drain(), refresh => refresh.ItemId is "item-7" or "other");
    }

    [Fact]
    public async Task CollectRefresh_ItemPostedMeanwhile_DoesNotReplaceTheNewerVector()
    {
        await Fill(100);
        RefreshChunk chunk = Taken();
        _trainer.Train(Batch().Add("item-7", [], produced: 5));
        _trainer.CollectChanges(_outbox);
        chunk.Look();
        _trainer.CollectRefresh(chunk, _outbox);
        Refresh refresh = (await Drain()).Single(refresh => refresh.ItemId == "item-7");
        Assert.Equal((_trainer.Counters.Steps, 5, false), (refresh.Step, refresh.ProducedTime, refresh.IsUpkeep));
        Assert.Equal(_engine.Embedding(_trainer.Items.Find(Batches.Key("item-7"))).ToArray(), refresh.Vector);
    }

    /// <summary>As float16 a step of a hundred-thousandth is no movement; as float32 it is.</summary>
    [Theory]
    [InlineData(EmbeddingElement.Float16, true)]
    [InlineData(EmbeddingElement.Int8, true)]
    [InlineData(EmbeddingElement.Float32, false)]
    public void Digest_MovedLessThanIsStored_IsTheSame(EmbeddingElement element, bool isSame)
    {
        _trainer.StoreAs(element);
        RefreshChunk chunk = _trainer.CreateRefreshChunk();
        float[] vector = [.. Enumerable.Repeat(1f, 8)];
        float[] moved = [.. Enumerable.Repeat(1.00001f, 8)];
        float[] far = [1.01f, .. vector[1..]];
        Assert.Equal(isSame, chunk.Digest(vector) == chunk.Digest(moved));
        Assert.NotEqual(chunk.Digest(vector), chunk.Digest(far));
        Assert.Equal(chunk.Digest(vector), chunk.Digest([.. vector]));
    }

    /// <summary>A chunk with every item, of their turn after everything was marked.</summary>
    private RefreshChunk Taken()
    {
        _trainer.RefreshAll();
        RefreshChunk chunk = _trainer.CreateRefreshChunk();
        _trainer.FillRefresh(chunk);
        Assert.Equal(100, chunk.Count);
        return chunk;
    }

    private Batch Batch(int capacity = 16) => Batches.Create(capacity, _sequence++);

    private async Task Fill(int items)
    {
        for (int i = 0; i < items; i += 50)
        {
            Batch batch = Batch(capacity: 50);
            for (int j = i; j < i + 50; j++)
            {
                batch.Add($"item-{j}", []);
            }

            _trainer.Train(batch);
        }

        Assert.Equal(items, (await Collect()).Count);
    }

    private async Task<List<Refresh>> Collect()
    {
        _trainer.CollectRefreshes(_outbox, _now);
        return await Drain();
    }

    private async Task<List<Refresh>> Drain()
    {
        var refreshes = new List<Refresh>();
        if (_outbox.Count > 0)
        {
            await _outbox.TakeAsync(refreshes, int.MaxValue, TestContext.Current.CancellationToken);
        }

        return refreshes;
    }
}
