using System.Text;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public sealed class EmbeddingPublisherTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly RedisOptions _options = redis.Options();
    private readonly List<PublishIncident> _incidents = [];
    private readonly List<Refresh> _failed = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PublishAsync_NewItems_AreWrittenWithStampAndTimeToLive()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 5);
        PublishCounts counts = await publisher.PublishAsync(Make.Items(100, step: 9), _failed, Stop);

        Assert.Equal(new PublishCounts(Written: 100, Removed: 0, Skipped: 0, Rejected: 0, Failed: 0), counts);
        Assert.Equal(new EmbeddingStamp(1, 5, 9, 9000), (await ReadAsync("item42"))!.Value.Stamp);
        TimeSpan? life = await redis.Database.KeyTimeToLiveAsync(Key("item42"));
        Assert.InRange(life!.Value, _options.TimeToLive * 0.89, _options.TimeToLive * 1.1);
        Assert.Equal("1", await redis.Database.StringGetAsync(Keys.Active));
    }

    [Fact]
    public async Task PublishAsync_OlderStepOfSameTrainer_IsSkipped()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await publisher.PublishAsync([Make.Item("a", step: 5, value: 50), Make.Item("b", step: 5)], _failed, Stop);
        PublishCounts counts = await publisher.PublishAsync([Make.Item("a", step: 4, value: 40), Make.Item("b", step: 6)], _failed, Stop);

        Assert.Equal(new PublishCounts(1, 0, 1, 0, 0), counts);
        Assert.Equal(50, (await ReadAsync("a"))!.Value.First);
    }

    [Fact]
    public async Task PublishAsync_UpkeepOfTheSameNumbers_RenewsStampAndExpiryAndAnnouncesNothing()
    {
        EmbeddingPublisher first = await OpenAsync(token: 1);
        var lists = new RelatedItems(10, [new(1, 0.5f)], []);
        await first.PublishAsync([Make.Item("a", step: 9) with { Related = lists }], _failed, Stop);
        await redis.Database.KeyExpireAsync(Key("a"), TimeSpan.FromSeconds(100));
        await redis.Database.KeyExpireAsync(Keys.Related(1, Make.Key("a")), TimeSpan.FromSeconds(100));
        long announced = await redis.Database.StreamLengthAsync(Keys.Changes(Keys.Partition(Make.Key("a"))));

        // A later trainer, at an earlier step: from its checkpoint.
        EmbeddingPublisher second = await OpenAsync(token: 2);
        PublishCounts counts = await second.PublishAsync(
            [Make.Item("a", step: 4) with { Related = lists, IsUpkeep = true }],
            _failed,
            Stop
        );

        Assert.Equal(new PublishCounts(0, 0, 0, 0, 0) { Unchanged = 1 }, counts);
        Assert.Equal(1, second.Metrics.Unchanged);
        Assert.Equal(new EmbeddingStamp(1, 2, 4, 4000), (await ReadAsync("a"))!.Value.Stamp);
        Assert.Equal(lists.Neighbors, (await ListsAsync("a"))!.Neighbors);
        Assert.Equal(announced, await redis.Database.StreamLengthAsync(Keys.Changes(Keys.Partition(Make.Key("a")))));
        Assert.True(await redis.Database.KeyTimeToLiveAsync(Key("a")) > TimeSpan.FromSeconds(1000));
        Assert.True(await redis.Database.KeyTimeToLiveAsync(Keys.Related(1, Make.Key("a"))) > TimeSpan.FromSeconds(1000));

        // The stamp is part of the rule: the first trainer's step 9 must not come back.
        await Assert.ThrowsAsync<FencedException>(() => first.PublishAsync([Make.Item("a", step: 10)], _failed, Stop));
    }

    [Theory]
    [InlineData(EmbeddingElement.Float16)]
    [InlineData(EmbeddingElement.Float32)]
    [InlineData(EmbeddingElement.Int8)]
    public async Task PublishAsync_UpkeepOfOtherNumbers_IsWrittenAndAnnounced(EmbeddingElement element)
    {
        var publisher = new EmbeddingPublisher(redis.Database, _options with { Element = element }, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        await publisher.PublishAsync([Make.Item("a", step: 1, value: 1), Make.Item("b", step: 1, value: 1)], _failed, Stop);
        PublishCounts counts = await publisher.PublishAsync(
            [
                Make.Item("a", step: 2, value: 40) with
                {
                    IsUpkeep = true,
                },
                Make.Item("b", step: 2, value: 1) with
                {
                    IsUpkeep = true,
                },
                Make.Item("c", step: 2) with
                {
                    IsUpkeep = true,
                },
            ],
            _failed,
            Stop
        );
        Assert.Equal(new PublishCounts(2, 0, 0, 0, 0) { Unchanged = 1 }, counts);
        Assert.Equal(40, (await ReadAsync("a"))!.Value.First, 0.5f);
        Assert.Equal(2, (await ReadAsync("b"))!.Value.Stamp.Step);
        Assert.NotNull(await ReadAsync("c"));
    }

    [Fact]
    public async Task PublishAsync_UpkeepOfAnEarlierStep_IsSkippedLikeAChange()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await publisher.PublishAsync([Make.Item("a", step: 5)], _failed, Stop);
        Assert.Equal(
            new PublishCounts(0, 0, Skipped: 1, 0, 0),
            await publisher.PublishAsync([Make.Item("a", step: 4) with { IsUpkeep = true }], _failed, Stop)
        );
        Assert.Equal(5, (await ReadAsync("a"))!.Value.Stamp.Step);
    }

    [Fact]
    public async Task PublishAsync_KeepsRelated_LeavesTheListsAndExtendsTheirExpiry()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        var lists = new RelatedItems(10, [new(1, 0.5f)], []);
        await publisher.PublishAsync([Make.Item("a", step: 1) with { Related = lists }], _failed, Stop);
        await redis.Database.KeyExpireAsync(Keys.Related(1, Make.Key("a")), TimeSpan.FromSeconds(100));
        await publisher.PublishAsync([Make.Item("a", step: 2, value: 9) with { KeepsRelated = true, IsUpkeep = true }], _failed, Stop);
        Assert.Equal(9, (await ReadAsync("a"))!.Value.First);
        Assert.Equal(lists.Neighbors, (await ListsAsync("a"))!.Neighbors);
        Assert.True(await redis.Database.KeyTimeToLiveAsync(Keys.Related(1, Make.Key("a"))) > TimeSpan.FromSeconds(1000));
    }

    /// <summary>What stands where lists belong, and is none, is another program's: it must not begin to expire.</summary>
    [Fact]
    public async Task PublishAsync_KeepsRelatedAndAForeignKeyIsThere_LeavesItAlone()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await redis.Database.HashSetAsync(Keys.Related(1, Make.Key("a")), "field", "value");
        await redis.Database.StringSetAsync(Keys.Related(1, Make.Key("b")), "text");
        await publisher.PublishAsync(
            [.. Make.Items(0), Make.Item("a") with { KeepsRelated = true }, Make.Item("b") with { KeepsRelated = true }],
            _failed,
            Stop
        );
        Assert.Null(await redis.Database.KeyTimeToLiveAsync(Keys.Related(1, Make.Key("a"))));
        Assert.Null(await redis.Database.KeyTimeToLiveAsync(Keys.Related(1, Make.Key("b"))));
    }

    [Fact]
    public async Task RunAsync_UpkeepShare_WritesChangesBeforeUpkeepAndRestsBetweenUpkeep()
    {
        EmbeddingPublisher publisher = new(redis.Database, _options with { BatchSize = 10 }, Make.Widths, TimeProvider.System)
        {
            UpkeepShare = 0.01,
        };
        await publisher.OpenAsync(1, 1, Stop);
        using RefreshOutbox outbox = new();
        outbox.Post([.. Make.Items(1_000).Select(item => item with { IsUpkeep = true })]);
        Task running = publisher.RunAsync(outbox, Stop);
        while (outbox.Upkeep > 990)
        {
            await Task.Delay(1, Stop);
        }

        // A hundred writes with rests of 99 times as long: the change passes those that wait.
        outbox.Post([Make.Item("change", step: 2)]);
        while (await ReadAsync("change") is null)
        {
            await Task.Delay(1, Stop);
        }

        Assert.NotEqual(0, outbox.Upkeep);
        outbox.Complete();
        await running.WaitAsync(TimeSpan.FromMinutes(1), Stop);
        Assert.Equal(1_001, publisher.Metrics.Written);
    }

    [Fact]
    public async Task PublishAsync_ItemWithLists_ListsFollowTheRulesOfItsEmbedding()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        RelatedItems first = new(10, [new(1, 0.5f)], []),
            second = new(10, [new(2, 0.25f)], []);
        await publisher.PublishAsync([Make.Item("a", step: 5) with { Related = first }, Make.Item("b", step: 5)], _failed, Stop);
        Assert.Equal(first.Neighbors, (await ListsAsync("a"))!.Neighbors);
        Assert.Null(await ListsAsync("b"));
        TimeSpan? life = await redis.Database.KeyTimeToLiveAsync(Keys.Related(1, Make.Key("a")));
        Assert.InRange(life!.Value, _options.TimeToLive * 0.89, _options.TimeToLive * 1.1);

        await publisher.PublishAsync([Make.Item("a", step: 4) with { Related = second }], _failed, Stop);
        Assert.Equal(first.Neighbors, (await ListsAsync("a"))!.Neighbors);

        PublishCounts counts = await publisher.PublishAsync([Make.Item("a", step: 6) with { Related = second }], _failed, Stop);
        Assert.Equal(new PublishCounts(1, 0, 0, 0, 0), counts);
        Assert.Equal(second.Neighbors, (await ListsAsync("a"))!.Neighbors);

        await publisher.PublishAsync([Make.Removal("a", step: 7)], _failed, Stop);
        Assert.Null(await ListsAsync("a"));
    }

    [Fact]
    public async Task PublishAsync_ItemWithFacts_FactsFollowTheRulesOfItsEmbedding()
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, Make.Widths, TimeProvider.System) { PublishesFacts = true };
        await publisher.OpenAsync(1, 1, Stop);
        ItemFacts first = new("""{"price":1}""", 3, 1000),
            second = new("""{"price":2}""", 3, 1000);
        await publisher.PublishAsync([Make.Item("a", step: 5) with { Facts = first }], _failed, Stop);
        Assert.Equal(("""{"price":1}""", 3), await FactsAsync("a"));
        TimeSpan? life = await redis.Database.KeyTimeToLiveAsync(Keys.Facts(1, Make.Key("a")));
        Assert.InRange(life!.Value, _options.TimeToLive * 0.89, _options.TimeToLive * 1.1);

        await publisher.PublishAsync([Make.Item("a", step: 4) with { Facts = second }], _failed, Stop);
        Assert.Equal(("""{"price":1}""", 3), await FactsAsync("a"));

        // A record between two training steps.
        PublishCounts counts = await publisher.PublishAsync([Make.Item("a", step: 5) with { Facts = second }], _failed, Stop);
        Assert.Equal(new PublishCounts(1, 0, 0, 0, 0), counts);
        Assert.Equal(("""{"price":2}""", 3), await FactsAsync("a"));
        await publisher.PublishAsync([Make.Item("a", step: 5) with { Facts = second }], _failed, Stop);
        string?[] checks =
        [
            .. (await redis.Database.StreamRangeAsync(Keys.Changes(Keys.Partition("a")))).Select(static entry => (string?)entry["c"]),
        ];
        Assert.Equal(3, checks.Length);
        Assert.NotEqual(checks[0], checks[1]);
        Assert.Equal(checks[1], checks[2]);

        await publisher.PublishAsync([Make.Removal("a", step: 7)], _failed, Stop);
        Assert.Null(await FactsAsync("a"));
    }

    [Fact]
    public async Task PublishAsync_WithoutAttributes_WritesNoFacts()
    {
        await (await OpenAsync(token: 1)).PublishAsync([Make.Item("a") with { Facts = new("{}", 1, 1) }], _failed, Stop);
        Assert.NotNull(await ReadAsync("a"));
        Assert.Null(await FactsAsync("a"));
    }

    [Fact]
    public async Task PublishAsync_NewTrainerFromAnEarlierStep_ReplacesWhatItsPredecessorWrote()
    {
        await (await OpenAsync(token: 1)).PublishAsync([Make.Item("a", step: 500, value: 50)], _failed, Stop);
        PublishCounts counts = await (await OpenAsync(token: 2)).PublishAsync([Make.Item("a", step: 100, value: 10)], _failed, Stop);

        Assert.Equal(1, counts.Written);
        Assert.Equal(10, (await ReadAsync("a"))!.Value.First);
    }

    [Fact]
    public async Task PublishAsync_OldTrainerAfterTakeover_IsRefusedInEveryPartition()
    {
        EmbeddingPublisher old = await OpenAsync(token: 1);
        await OpenAsync(token: 2);
        foreach (Refresh item in Make.Items(40, step: 99))
        {
            FencedException error = await Assert.ThrowsAsync<FencedException>(() => old.PublishAsync([item], _failed, Stop));
            Assert.Equal((1u, 2u), (error.Token, error.Newer));
            Assert.Null(await ReadAsync(item.ItemId));
        }

        await Assert.ThrowsAsync<FencedException>(() => OpenAsync(token: 1));
    }

    [Fact]
    public async Task PublishAsync_Removal_DeletesTheItem()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await publisher.PublishAsync([Make.Item("a", step: 1), Make.Item("b", step: 9)], _failed, Stop);
        PublishCounts counts = await publisher.PublishAsync([Make.Removal("a", step: 2), Make.Removal("b", step: 3)], _failed, Stop);

        Assert.Equal(new PublishCounts(Written: 0, Removed: 1, Skipped: 1, Rejected: 0, Failed: 0), counts);
        Assert.Null(await ReadAsync("a"));
        Assert.NotNull(await ReadAsync("b"));
    }

    [Theory]
    [InlineData(
        VectorFault.TooLarge,
        81_234f,
        "has the number 81,234; Float16 ends at 65,504. Scale the item's features, or set STREAMING__Redis__Element to Float32 or Int8"
    )]
    [InlineData(VectorFault.NotFinite, float.NaN, "has the number NaN; allowed: finite numbers")]
    [InlineData(VectorFault.NotFinite, float.NegativeInfinity, "has the number -Infinity; allowed: finite numbers")]
    public async Task PublishAsync_VectorThatCannotBeStored_IsNamedWithTheReasonUntilOneIsStored(
        VectorFault fault,
        float value,
        string explanation
    )
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        Refresh bad = Make.Item("bad") with { Vector = [.. Enumerable.Repeat(value, 16)] };
        PublishCounts counts = await publisher.PublishAsync([bad, Make.Item("good")], _failed, Stop);

        Assert.Equal(new PublishCounts(1, 0, 0, Rejected: 1, 0), counts);
        Assert.Null(await ReadAsync("bad"));
        Assert.Empty(_failed);
        string words = publisher.Metrics.Refused.Describe(fault);
        Assert.StartsWith("the newest vector of 1 item is not in Redis: that of 'bad' " + explanation, words, StringComparison.Ordinal);
        PublishIncident incident = Assert.Single(_incidents);
        Assert.Equal((PublishIncidentKind.Rejected, words + ".", 1), (incident.Kind, incident.Message, incident.Items));

        await publisher.PublishAsync([bad with { Step = 2 }], _failed, Stop);
        Assert.Single(_incidents); // The second within a minute.
        await publisher.PublishAsync([Make.Item("bad", step: 3)], _failed, Stop);
        Assert.Equal(0, publisher.Metrics.Refused.Count(fault));
        Assert.NotNull(await ReadAsync("bad"));
    }

    [Theory]
    [InlineData(EmbeddingElement.Float32)]
    [InlineData(EmbeddingElement.Int8)]
    public async Task PublishAsync_NumberTooLargeForFloat16_IsStoredByTheOtherElements(EmbeddingElement element)
    {
        EmbeddingPublisher publisher = new(redis.Database, _options with { Element = element }, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        PublishCounts counts = await publisher.PublishAsync([Make.Item("large", value: 900_000)], _failed, Stop);

        Assert.Equal(new PublishCounts(1, 0, 0, 0, 0), counts);
        Assert.InRange((await ReadAsync("large"))!.Value.First, 890_000, 910_000);
    }

    [Fact]
    public async Task PublishAsync_ForeignValueUnderTheKey_IsReplaced()
    {
        await redis.Database.StringSetAsync(Key("a"), new string('x', 200));
        await (await OpenAsync(token: 1)).PublishAsync([Make.Item("a")], _failed, Stop);

        Assert.NotNull(await ReadAsync("a"));
    }

    [Fact]
    public async Task PublishAsync_KeyPerWidth_WritesEachWidthAlone()
    {
        RedisOptions options = _options with { Layout = EmbeddingKeyLayout.PerWidth };
        EmbeddingPublisher publisher = new(redis.Database, options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, Stop);
        PublishCounts counts = await publisher.PublishAsync([Make.Item("a"), Make.Item("b")], _failed, Stop);

        Assert.Equal(2, counts.Written);
        foreach (int width in Make.Widths)
        {
            byte[]? value = await redis.Database.StringGetAsync(Keys.Items(1, width).Key("a"));
            Assert.Equal(width, EmbeddingValue.Read(value).Dimension);
        }

        await publisher.PublishAsync([Make.Removal("a", 2)], _failed, Stop);
        Assert.Equal(1, publisher.Metrics.Removed);
        Assert.False(await redis.Database.KeyExistsAsync(Keys.Items(1, 4).Key("a")));
    }

    [Fact]
    public async Task PublishAsync_ProducedTimeKnown_FreshnessIsMeasuredFromIt()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        long produced = TimeProvider.System.GetUtcNow().AddSeconds(-10).ToUnixTimeMilliseconds();
        await publisher.PublishAsync([Make.Item("a", produced: produced), Make.Item("b")], _failed, Stop);

        Assert.Equal(1, publisher.Metrics.Freshness.Count);
        Assert.InRange(publisher.Metrics.Freshness.Quantile(0.5), 9_500, 60_000);
    }

    [Fact]
    public async Task PublishAsync_ScriptsFlushed_SendsThemAgain()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await redis.Database.ExecuteAsync("SCRIPT", "FLUSH");

        Assert.Equal(20, (await publisher.PublishAsync(Make.Items(20), _failed, Stop)).Written);
    }

    [Fact]
    public async Task PublishAsync_NotOpened_Throws()
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, Make.Widths, TimeProvider.System);
        await Assert.ThrowsAsync<InvalidOperationException>(() => publisher.PublishAsync([Make.Item("a")], _failed, Stop));
    }

    [Fact]
    public async Task RunAsync_OutboxCompleted_PublishesAllThatIsLeft()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        using RefreshOutbox outbox = new();
        outbox.Post([.. Make.Items(50, step: 1)]);
        outbox.Post([.. Make.Items(60, step: 2)]);
        outbox.Complete();
        await publisher.RunAsync(outbox, Stop);

        Assert.Equal(60, publisher.Metrics.Written);
        Assert.Equal(2, (await ReadAsync("item7"))!.Value.Stamp.Step);
    }

    [Fact]
    public async Task RunAsync_Fenced_PutsBackWhatItTook()
    {
        EmbeddingPublisher publisher = await OpenAsync(token: 1);
        await OpenAsync(token: 2);
        using RefreshOutbox outbox = new();
        outbox.Post([.. Make.Items(5)]);

        await Assert.ThrowsAsync<FencedException>(() => publisher.RunAsync(outbox, Stop));
        Assert.Equal(5, outbox.Count);
    }

    private RedisKeys Keys => new(_options.Model, _options.Partitions);

    private byte[] Key(string id) => Keys.Items(1).Key(id);

    private async Task<(string? Attributes, long Events)?> FactsAsync(string id)
    {
        byte[]? value = await redis.Database.StringGetAsync(Keys.Facts(1, Make.Key(id)));
        if (value is null)
        {
            return null;
        }

        Assert.Equal(EmbeddingFault.None, ItemFactsValue.TryRead(value, out ItemFacts facts, out ReadOnlySpan<byte> attributes));
        return (Encoding.UTF8.GetString(attributes), facts.Events);
    }

    private async Task<RelatedItems?> ListsAsync(string id)
    {
        RelatedItemsValue.TryDecode(
            (byte[]?)await redis.Database.StringGetAsync(Keys.Related(1, Make.Key(id))) ?? [],
            out RelatedItems? lists
        );
        return lists;
    }

    private async Task<EmbeddingPublisher> OpenAsync(uint token)
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, Make.Widths, TimeProvider.System, _incidents.Add);
        await publisher.OpenAsync(1, token, Stop);
        return publisher;
    }

    private async Task<(EmbeddingStamp Stamp, float First)?> ReadAsync(string id)
    {
        byte[]? value = await redis.Database.StringGetAsync(Key(id));
        if (value is null)
        {
            return null;
        }

        EmbeddingView view = EmbeddingValue.Read(value);
        float[] first = new float[1];
        view.Decode(first);
        return (view.Stamp, first[0]);
    }
}
