using System.Text.Json.Nodes;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Serving.Changes;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Changes;

public sealed class ChangeFeedReaderTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private readonly RedisOptions _options = redis.Options();
    private readonly List<FeedChange> _changes = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAsync_WritesAndRemovals_ComeOnceInOrder()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        ChangeFeedReader feed = Feed(_options);
        Assert.Equal(new FeedRead(0, false, false), await feed.ReadAsync(_changes, Stop));
        await PublishAsync(publisher, 100, step: 1);
        await publisher.PublishAsync([ServingFixture.Item(7, 2, null)], [], Stop);

        Assert.Equal(new FeedRead(101, HasGap: false, HasMore: false), await feed.ReadAsync(_changes, Stop));
        Assert.Equal(100, _changes.Select(change => change.Id).Distinct().Count());
        Assert.Equal(
            [new FeedChange("item7", 1, 1, 1, false), new FeedChange("item7", 1, 1, 2, true)],
            _changes.Where(change => change.Id == "item7").Select(static change => change with { Check = 0 })
        );
        Assert.Equal(100, _changes.Where(static change => !change.IsRemoved).Select(static change => change.Check).Distinct().Count());
        Assert.Equal(0, (await feed.ReadAsync(_changes, Stop)).Changes);
    }

    [Theory]
    [InlineData("current")]
    [InlineData("newer")]
    public async Task ReadAsync_EntryOfAnyWriter_IsRead(string writer)
    {
        await using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "schemas", "evolution.json"));
        JsonNode vector = (await JsonNode.ParseAsync(file, cancellationToken: Stop))!
            .AsArray()
            .Single(vector => (string?)vector!["record"] == "change" && (string?)vector["writer"] == writer)!;
        RedisOptions options = _options with { Partitions = 1 };
        await redis.OpenAsync(options);
        string[] fields = [.. vector["fields"]!.AsArray().Select(field => (string)field!)];
        await redis.Database.StreamAddAsync(
            new RedisKeys(options.Model, options.Partitions).Changes(0),
            [.. fields.Chunk(2).Select(pair => new NameValueEntry(pair[0], pair[1]))]
        );

        FeedRead read = await Feed(options).ReadAsync(_changes, Stop);

        Assert.False(read.HasGap);
        Assert.Equal(
            vector["reads"]!
                .AsArray()
                .Select(change => new FeedChange(
                    (string)change!["id"]!,
                    (uint)change["generation"]!,
                    (uint)change["token"]!,
                    (long)change["step"]!,
                    (bool)change["removed"]!
                )),
            _changes
        );
    }

    [Fact]
    public async Task ReadAsync_SkippedItem_IsNoChange()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await PublishAsync(publisher, 10, step: 5);
        ChangeFeedReader feed = Feed(_options);
        await feed.SeekToEndAsync(Stop);
        await PublishAsync(publisher, 10, step: 4);

        Assert.Equal(0, (await feed.ReadAsync(_changes, Stop)).Changes);
    }

    [Fact]
    public async Task ReadAsync_FeedCutBeforeItWasRead_SaysThatChangesWereMissed()
    {
        RedisOptions options = _options with { ChangeFeedLength = 10, Partitions = 1 };
        EmbeddingPublisher publisher = await redis.OpenAsync(options);
        ChangeFeedReader feed = Feed(options);
        await feed.SeekToEndAsync(Stop);
        for (int step = 1; step <= 400; step++)
        {
            await PublishAsync(publisher, 1, step);
        }

        FeedRead read = await feed.ReadAsync(_changes, Stop);

        Assert.True(read.HasGap);
        Assert.InRange(_changes[0].Step, 200, 390);
        while (read.HasMore)
        {
            read = await feed.ReadAsync(_changes, Stop);
        }

        Assert.Equal(400, _changes[^1].Step);
        await PublishAsync(publisher, 5, step: 500);
        Assert.Equal(new FeedRead(5, HasGap: false, HasMore: false), await feed.ReadAsync(_changes, Stop));
    }

    [Fact]
    public async Task ReadAsync_StoreEmptied_SaysThatChangesWereMissed()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await PublishAsync(publisher, 100, step: 1);
        ChangeFeedReader feed = Feed(_options);
        await feed.SeekToEndAsync(Stop);
        RedisKeys keys = new(_options.Model, _options.Partitions);
        for (int partition = 0; partition < keys.Partitions; partition++)
        {
            await redis.Database.KeyDeleteAsync([keys.Changes(partition), keys.Fence(partition)]);
        }

        await PublishAsync(publisher, 100, step: 2);
        Assert.True((await feed.ReadAsync(_changes, Stop)).HasGap);
    }

    [Fact]
    public async Task ReadAsync_MoreThanAReadHolds_SaysSo()
    {
        RedisOptions options = _options with { Partitions = 1 };
        EmbeddingPublisher publisher = await redis.OpenAsync(options);
        ChangeFeedReader feed = Feed(options);
        for (int step = 1; step <= 150; step++)
        {
            await PublishAsync(publisher, 3, step);
        }

        Assert.Equal(new FeedRead(300, HasGap: false, HasMore: true), await feed.ReadAsync(_changes, Stop));
        Assert.Equal(new FeedRead(150, HasGap: false, HasMore: false), await feed.ReadAsync(_changes, Stop));
        Assert.Equal(Enumerable.Range(1, 150).SelectMany(step => Enumerable.Repeat((long)step, 3)), _changes.Select(change => change.Step));
    }

    private ChangeFeedReader Feed(RedisOptions options) => new(redis.Database, ServingFixture.Serving(options), TimeProvider.System);

    private static Task<PublishCounts> PublishAsync(EmbeddingPublisher publisher, int count, long step)
    {
        Random random = new(count);
        return publisher.PublishAsync(
            [.. Enumerable.Range(0, count).Select(i => ServingFixture.Item(i, step, ServingFixture.Vector(random)))],
            [],
            Stop
        );
    }
}
