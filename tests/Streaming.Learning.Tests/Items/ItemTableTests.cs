using System.Text;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Core.Options;
using Streaming.Learning.Items;
using Streaming.Learning.Tests.State;
using Streaming.Learning.Tests.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Items;

public sealed class ItemTableTests : IDisposable
{
    private const long OneDay = 24 * 3600 * 1000;

    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = 12,
        FeatureGroups = [new FeatureGroup("text", 2), new FeatureGroup("image", 1)],
    };

    private readonly FakeEngine _engine = new(Model);

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Touch_FirstEvent_AdmitsAndStartsTheRowFromTheKey()
    {
        ItemTable table = Table();
        int row = Touch(table, "a");
        Assert.Equal(4, row);
        Assert.Equal(row, table.Find(Batches.Key("a")));
        Assert.Equal("a", table.IdOf(row));
        Assert.Equal(Batches.Key("a"), _engine.InitializedKeys[^1]);
        Assert.Equal(1, table.Counters.Admitted);
    }

    [Fact]
    public void InitializeRows_AnotherEngine_HasTheInitialValuesOfTheSameItems()
    {
        ItemTable table = Table();
        Touch(table, "a");
        Touch(table, "b");
        using var other = new FakeEngine(Model);
        table.InitializeRows(other);
        Assert.Equal(_engine.InitializedKeys, other.InitializedKeys);

        using var larger = new FakeEngine(Model with { ItemCapacity = 13 });
        Assert.Contains(
            "13",
            Assert.Throws<ArgumentOutOfRangeException>(() => table.InitializeRows(larger)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Touch_BelowAdmitAfter_SharesAFallbackRow()
    {
        ItemTable table = Table(new ItemTableOptions { AdmitAfter = 2, FallbackRows = 4 });
        Assert.Equal(-1, Touch(table, "a"));
        Assert.InRange(table.RowOf(Batches.Key("a")), 0, 3);
        Assert.False(table.IsLive(table.RowOf(Batches.Key("a"))));
        Assert.True(Touch(table, "a") >= 4);
    }

    [Fact]
    public void Apply_Record_AdmitsBeforeAnyEventAndSetsFeaturesInOrder()
    {
        ItemTable table = Table(new ItemTableOptions { AdmitAfter = 100, FallbackRows = 4 });
        int row = table.Apply(Record("a", ("image", [3f]), ("text", [1f, 2f])), out string? error);
        Assert.Null(error);
        Assert.Equal([1f, 2f, 3f], _engine.Features(row).ToArray());
        Assert.Equal(row, Touch(table, "a"));
    }

    [Fact]
    public void Apply_GroupMissing_IsZeros()
    {
        ItemTable table = Table();
        int row = table.Apply(Record("a", ("text", [1f, 2f]), ("image", [3f])), out _);
        table.Apply(Record("a", ("image", [5f])), out _);
        Assert.Equal([0f, 0f, 5f], _engine.Features(row).ToArray());
    }

    [Fact]
    public void Apply_Record_CountsTheGroupsThatItLacks()
    {
        ItemTable table = Table();
        table.Apply(Record("a", ("text", [1f, 2f]), ("image", [3f])), out _);
        table.Apply(Record("b", ("image", [5f])), out _);
        table.Apply(Record("c", ("image", [5f])), out _);
        Assert.Equal([2, 0], table.WithoutFeatures.ToArray());

        using var saved = new TensorSet();
        table.Save(saved);
        using var engine = new FakeEngine(Model);
        var restored = new ItemTable(engine, new ItemTableOptions { FallbackRows = 4 });
        restored.Load(new TensorReader(saved));
        Assert.Equal([2, 0], restored.WithoutFeatures.ToArray());
    }

    [Fact]
    public void Apply_TextOfAHashedGroup_IsTheItemsFeatures()
    {
        ModelOptions model = Model with { FeatureGroups = [new("image", 1), FeatureGroup.Hashed("words", 4, new TextField("title"))] };
        using var engine = new FakeEngine(model);
        var table = new ItemTable(engine, new ItemTableOptions { FallbackRows = 4 });
        var change = new ItemChange
        {
            ItemKey = Batches.Key("a"),
            ItemId = "a",
            Features = new Dictionary<string, float[]> { ["image"] = [3f], ["words"] = [9f, 9f, 9f, 9f] },
            Text = new Dictionary<string, string> { ["title"] = "수분 크림" },
        };
        int row = table.Apply(change, out string? error);
        Assert.Null(error);
        Assert.Equal(
            [0x40400000, 0xbeda514b, 0x3eda514b, 0x3f4bb16a, 0xbd69fdf5],
            engine.Features(row).ToArray().Select(BitConverter.SingleToUInt32Bits)
        );
        Assert.Equal([0, 0], table.WithoutFeatures.ToArray());
        table.Apply(Record("b"), out _);
        Assert.Equal([1, 1], table.WithoutFeatures.ToArray());
    }

    [Fact]
    public void Apply_WrongLength_IsRejectedAndChangesNothing()
    {
        ItemTable table = Table();
        int row = table.Apply(Record("a", ("text", [1f, 2f]), ("image", [3f])), out _);
        Assert.Equal(-1, table.Apply(Record("a", ("text", [1f, 2f, 3f])), out string? error));
        Assert.Equal("Item 'a': feature group 'text' has 3 values; the model expects 2.", error);
        Assert.Equal(-1, table.Apply(Record("new", ("text", [1f])), out _));
        Assert.Equal(-1, table.Find(Batches.Key("new")));
        Assert.Equal([1f, 2f, 3f], _engine.Features(row).ToArray());
        Assert.Equal(2, table.Counters.RecordsRejected);
        Assert.Equal(1, table.Counters.RecordsApplied);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Apply_NotFinite_IsRejected(float value)
    {
        ItemTable table = Table();
        Assert.Equal(-1, table.Apply(Record("a", ("text", [1f, value])), out string? error));
        Assert.StartsWith("Item 'a': value 1 of feature group 'text' is ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_Removed_FreesTheRowAndTellsTheEngine()
    {
        ItemTable table = Table();
        int row = Touch(table, "a");
        Touch(table, "b");
        Assert.Equal(
            -1,
            table.Apply(
                new ItemChange
                {
                    ItemKey = Batches.Key("a"),
                    ItemId = "a",
                    IsRemoved = true,
                },
                out _
            )
        );
        Assert.Equal(-1, table.Find(Batches.Key("a")));
        Assert.Equal([row], _engine.ForgottenRows);
        Assert.Equal(new RemovedItem(Batches.Key("a"), "a"), Assert.Single(table.Removed));
        Assert.Equal(1, table.Count);
        Assert.Equal("b", table.IdOf(table.Rows[0]));
    }

    [Fact]
    public void Touch_AfterTheCatalogueRemovedTheItem_DoesNotBringItBack()
    {
        ItemTable table = Table();
        Touch(table, "a");
        table.Apply(Removal("a"), out _);
        table.Apply(Removal("never seen"), out _);
        Assert.Equal((-1, -1), (Touch(table, "a"), Touch(table, "never seen")));
        Assert.Equal(0, table.Count);

        using var saved = new TensorSet();
        table.Save(saved);
        using var engine = new FakeEngine(Model);
        var restored = new ItemTable(engine, new ItemTableOptions { FallbackRows = 4 });
        restored.Load(new TensorReader(saved));
        Assert.Equal(-1, Touch(restored, "a"));

        Assert.True(restored.Apply(Record("a"), out _) >= 0);
        Assert.True(Touch(restored, "a") >= 0);
        Assert.Equal(-1, Touch(restored, "never seen"));
    }

    [Fact]
    public void FactsOf_Popularity_IsThatOfTheLatestEventsWhateverTheirOrder()
    {
        ItemTable table = Table();
        const long start = 1_700_000_000_000;
        for (int i = 0; i < 1000; i++)
        {
            Touch(table, "once popular", time: start);
        }

        Touch(table, "of late", time: start + (10 * OneDay));
        Touch(table, "of late, again", time: start + (10 * OneDay));
        Touch(table, "of late, again", time: start + (9 * OneDay)); // a late event weighs half
        long Of(string id) => table.FactsOf(table.Find(Batches.Key(id))).Popularity;

        // 1,000 events weigh 2^9.97: as one 9.97 days later.
        Assert.InRange(Of("once popular"), start + (9.965 * OneDay), start + (9.967 * OneDay));
        Assert.Equal(start + (10 * OneDay), Of("of late"));
        Assert.InRange(Of("of late, again"), start + (10.584 * OneDay), start + (10.586 * OneDay)); // log2 1.5
    }

    [Fact]
    public void FactsOf_AttributesOfTheLastRecord_SurviveCheckpointAndAdoption()
    {
        ItemTable table = Table();
        Touch(table, "a", time: 900);
        Touch(table, "a", time: 950);
        table.Apply(WithAttributes("a", """{"category":"shoes"}"""), out _);
        table.Apply(WithAttributes("b", """{"category":"boots"}"""), out _);
        table.Apply(WithAttributes("b", null), out _);
        AssertFacts(table);

        using var saved = new TensorSet();
        table.Save(saved);
        using var engine = new FakeEngine(Model);
        var restored = new ItemTable(engine, new ItemTableOptions { FallbackRows = 4 });
        restored.Load(new TensorReader(saved));
        AssertFacts(restored);

        using var other = new FakeEngine(Model);
        var adopted = new ItemTable(other, new ItemTableOptions { FallbackRows = 4 });
        adopted.Adopt(StoredItems.Read(new TensorReader(saved)));
        AssertFacts(adopted);

        adopted.Apply(Removal("a"), out _);
        adopted.Apply(WithAttributes("a", null), out _);
        Assert.Equal(new ItemFacts(null, 0, 77), adopted.FactsOf(adopted.Find(Batches.Key("a"))));

        static void AssertFacts(ItemTable table)
        {
            Assert.Equal(
                new ItemFacts("""{"category":"shoes"}""", 2, 900) { Popularity = OneDay + 925 },
                table.FactsOf(table.Find(Batches.Key("a")))
            );
            Assert.Equal(new ItemFacts(null, 0, 77), table.FactsOf(table.Find(Batches.Key("b"))));
        }
    }

    [Fact]
    public void Touch_CatalogueOnly_AdmitsNoItemWithoutARecord()
    {
        ItemTable table = Table(new ItemTableOptions { FallbackRows = 4, CatalogueOnly = true });
        Assert.Equal(-1, Touch(table, "a"));
        table.Apply(Record("a"), out _);
        Assert.True(Touch(table, "a") >= 0);
    }

    [Fact]
    public void RemovedItems_MoreThanAreRemembered_ForgetsTheOldest()
    {
        var gone = new RemovedItems(3);
        foreach (ulong key in (ulong[])[1, 2, 1, 3, 4])
        {
            gone.Add(key);
        }

        Assert.Equal([true, false, true, true], ((ulong[])[1, 2, 3, 4]).Select(gone.Contains));
        for (int i = 0; i < 1000; i++)
        {
            gone.Add(9);
            gone.Remove(9);
        }

        Assert.False(gone.Contains(9));
        gone.Add(9);
        Assert.True(gone.Contains(9));
    }

    [Fact]
    public void Touch_AtTheBound_EvictsTheColdest()
    {
        ItemTable table = Table();
        for (int i = 0; i < 8; i++)
        {
            Touch(table, $"i{i}");
            if (i != 3)
            {
                Touch(table, $"i{i}");
                Touch(table, $"i{i}");
            }
        }

        Touch(table, "new");
        Assert.Equal(-1, table.Find(Batches.Key("i3")));
        Assert.True(table.Find(Batches.Key("new")) >= 0);
        Assert.Equal(8, table.Count);
        Assert.Equal(1, table.Counters.EvictedByCapacity);
    }

    [Fact]
    public void Touch_ManyMoreItemsThanRows_StaysWithinTheBoundAndConsistent()
    {
        ItemTable table = Table();
        var random = new Random(3);
        for (int i = 0; i < 5_000; i++)
        {
            string id = $"i{random.Next(60)}";
            int row = Touch(table, id, i);
            Assert.Equal(id, table.IdOf(row));
            Assert.True(table.Count <= 8);
            if (i % 97 == 0)
            {
                table.Apply(Removal(id), out _);
                table.Apply(Record(id), out _);
            }
        }

        foreach (int row in table.Rows)
        {
            Assert.Equal(row, table.Find(table.KeyOf(row)));
            Assert.Equal(table.KeyOf(row), Batches.Key(table.IdOf(row)));
        }

        ItemTableCounters counters = table.Counters;
        Assert.Equal(table.Count, counters.Admitted - counters.EvictedByCapacity - counters.Removed);
    }

    [Fact]
    public void EvictIdle_ByEventTime_TakesOnlyIdleItemsWithoutRecord()
    {
        ItemTable table = Table(new ItemTableOptions { EvictAfter = TimeSpan.FromSeconds(10), FallbackRows = 4 });
        Touch(table, "idle", 1_000);
        table.Apply(Record("record"), out _);
        Touch(table, "fresh", 10_500);
        table.EvictIdle(rows: 12);
        Assert.Equal(3, table.Count);

        Touch(table, "fresh", 11_001);
        table.EvictIdle(rows: 12);
        Assert.Equal(-1, table.Find(Batches.Key("idle")));
        Assert.True(table.Find(Batches.Key("record")) >= 0);
        Assert.Equal(1, table.Counters.EvictedByAge);
    }

    [Fact]
    public void EventsOf_RowGivenToAnother_StartsOver()
    {
        ItemTable table = Table();
        int row = Touch(table, "a");
        Assert.Equal(row, Touch(table, "a"));
        Assert.Equal(2, table.EventsOf(row));
        table.Apply(
            new ItemChange
            {
                ItemKey = Batches.Key("a"),
                ItemId = "a",
                IsRemoved = true,
            },
            out _
        );
        Assert.Equal(row, Touch(table, "b"));
        Assert.Equal(1, table.EventsOf(row));
    }

    [Fact]
    public void Touch_WithoutIdsAndRecord_StaysOnFallback()
    {
        using var engine = new FakeEngine(Model with { ItemIds = false });
        var table = new ItemTable(engine, new ItemTableOptions { FallbackRows = 4 });
        Assert.Equal(-1, table.Touch(Batches.Key("a"), "a"u8, 1));
        table.Apply(Record("a"), out _);
        Assert.True(table.Touch(Batches.Key("a"), "a"u8, 1) >= 4);
    }

    [Fact]
    public void SaveLoad_ThenGoOn_EqualsNeverStopped()
    {
        ItemTableOptions options = new()
        {
            AdmitAfter = 2,
            FallbackRows = 4,
            EvictAfter = TimeSpan.FromSeconds(5),
            AdmissionCapacity = 16,
        };
        ItemTable original = Table(options);
        var random = new Random(5);
        Drive(original, random, 500);
        using var saved = new TensorSet();
        original.Save(saved);
        using var engine = new FakeEngine(Model);
        var restored = new ItemTable(engine, options);
        restored.Load(new TensorReader(saved));
        saved.Clear();

        Drive(original, new Random(6), 500);
        Drive(restored, new Random(6), 500);
        Assert.Equal(Bytes(original), Bytes(restored));
        Assert.Equal(original.Rows.ToArray(), restored.Rows.ToArray());
    }

    [Fact]
    public void Load_DamagedOrder_IsRefused()
    {
        var saved = new TensorSet();
        Table().Save(saved);
        int order = saved.Tensors.ToList().FindIndex(tensor => tensor.Name == "items.order");
        using var damaged = new PatchedSource(saved, order, patch: [1, 0, 0, 0, 1, 0, 0, 0]);
        Assert.Throws<StateMismatchException>(() => Table().Load(new TensorReader(damaged)));
    }

    [Fact]
    public void Validate_EverythingWrong_NamesEverything()
    {
        var options = new ItemTableOptions
        {
            AdmitAfter = 0,
            EvictAfter = TimeSpan.Zero,
            FallbackRows = 7,
            AdmissionCapacity = 1,
            RememberRemoved = -1,
        };
        OptionsException error = Assert.Throws<OptionsException>(() => options.Validate(capacity: 12));
        Assert.Equal(
            [
                "AdmitAfter is 0; allowed: 1 … 1000.",
                "AdmissionCapacity is 1; allowed: 8 … 16777216.",
                "RememberRemoved is -1; allowed: 0 … 16777216.",
                "EvictAfter is 0s; allowed: above 0.",
                "FallbackRows is 7; allowed: 0 … 6 (half of ItemCapacity).",
            ],
            error.Message.Split(Environment.NewLine)
        );
    }

    private static void Drive(ItemTable table, Random random, int events)
    {
        for (int i = 0; i < events; i++)
        {
            Touch(table, $"i{random.Next(40)}", 1_000 + (i * 50));
            table.EvictIdle(2);
        }
    }

    private static byte[] Bytes(ItemTable table)
    {
        using var tensors = new TensorSet();
        table.Save(tensors);
        using var stream = new MemoryStream();
        Safetensors.Write(tensors, stream);
        return stream.ToArray();
    }

    private static int Touch(ItemTable table, string id, long time = 1_000) =>
        table.Touch(Batches.Key(id), Encoding.UTF8.GetBytes(id), time);

    private static ItemChange Removal(string id) =>
        new()
        {
            ItemKey = Batches.Key(id),
            ItemId = id,
            IsRemoved = true,
        };

    private static ItemChange WithAttributes(string id, string? attributes) =>
        new()
        {
            ItemKey = Batches.Key(id),
            ItemId = id,
            Attributes = attributes,
            ProducedTime = 77,
        };

    private static ItemChange Record(string id, params (string Name, float[] Values)[] groups) =>
        new()
        {
            ItemKey = Batches.Key(id),
            ItemId = id,
            Features = groups.ToDictionary(group => group.Name, group => group.Values),
        };

    private ItemTable Table(ItemTableOptions? options = null) => new(_engine, options ?? new ItemTableOptions { FallbackRows = 4 });
}
