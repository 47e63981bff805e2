using System.Diagnostics.Metrics;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Serving.Clients;
using Streaming.Serving.Lookups;
using Streaming.Serving.Recommendations;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Clients;

public sealed class StreamingClientTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private const int Items = 40;

    private readonly RedisOptions _redis = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private StreamingServingOptions Options =>
        new()
        {
            Model = _redis.Model,
            Partitions = _redis.Partitions,
            Widths = ServingFixture.Widths,
        };

    [Fact]
    public async Task GetAsync_OfAnItem_IsItsVectorCutToTheWidth()
    {
        float[][] vectors = await PublishAsync();
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);

        Assert.Equal(vectors[3][..8], await client.GetAsync("item3", 8, Stop));
        Assert.Null(await client.GetAsync("unknown", 8, Stop));
    }

    [Fact]
    public async Task GetAsync_OfItems_TellsFoundMissingAndRefusedApart()
    {
        float[][] vectors = await PublishAsync();
        await redis.Database.StringSetAsync(
            System.Text.Encoding.UTF8.GetString(new RedisKeys(_redis.Model, _redis.Partitions).Items(1).Key("foreign")),
            "some other value"
        );
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);

        IReadOnlyList<ItemEmbedding> read = await client.GetAsync(["item1", "unknown", "foreign"], 4, Stop);

        Assert.Equal(vectors[1][..4], read[0].Vector);
        Assert.Equal([ItemStatus.Found, ItemStatus.Missing, ItemStatus.Refused], read.Select(item => item.Status));
        Assert.Equal(EmbeddingFault.Foreign, read[2].Fault);
        StreamingServingException refused = await Assert.ThrowsAsync<StreamingServingException>(() => client.GetAsync("foreign", 4, Stop));
        Assert.Equal(("item 'foreign': its value was refused (Foreign)", false), (refused.Message, refused.IsTransient));
    }

    [Fact]
    public async Task Generation_IsReadInsteadOfTheActiveOneAndIsSaidToBeMissing()
    {
        await PublishAsync();
        EmbeddingPublisher next = await redis.OpenAsync(_redis, generation: 2);
        float[] vector = [.. Enumerable.Range(1, 16).Select(static i => (float)i)];
        await next.PublishAsync([new Refresh(RedisKeys.Hash("item3"), "item3", vector, 1, 0, 0)], [], Stop);
        StreamingServingOptions second = Options,
            third = Options;
        (second.Generation, third.Generation) = (2, 3);
        using StreamingClient client = new(redis.Database, second, TimeProvider.System);
        using StreamingClient gone = new(redis.Database, third, TimeProvider.System);
        await client.Updater!.RefreshAsync(Stop);
        await gone.Updater!.RefreshAsync(Stop);

        Assert.Equal(vector[..8], await client.GetAsync("item3", 8, Stop));
        Assert.Equal((null, 2u, 1), (client.Unready(), client.Index!.Generation, client.Index.Count));
        Assert.Equal($"generation 3 of model '{_redis.Model}' has no items: it was not published, or was retired", gone.Unready());
    }

    [Fact]
    public async Task SimilarAsync_RanksByCosineWithoutTheItemItself()
    {
        float[][] vectors = await PublishAsync();
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);
        await client.Updater!.RefreshAsync(Stop);

        SimilarItems similar = await client.SimilarAsync("item7", 16, 5, Stop);

        string[] expected =
        [
            .. Enumerable
                .Range(0, Items)
                .Where(i => i != 7)
                .OrderByDescending(i => Cosine(vectors[7], vectors[i]))
                .Take(5)
                .Select(i => $"item{i}"),
        ];
        Assert.Equal(expected, similar.Items.Select(near => near.Id));
        Assert.All(similar.Items, near => Assert.Equal(Cosine(vectors[7], vectors[int.Parse(near.Id[4..])]), near.Score, 1e-5));
        Assert.False(similar.IsFused); // Nothing is counted.
        ItemQuery query = new()
        {
            Width = 16,
            Count = 3,
            Exclude = [expected[1]],
        };
        Assert.Equal(
            expected.Where(id => id != expected[1]).Take(3),
            (await client.SimilarAsync("item7", query, Stop)).Items.Select(near => near.Id)
        );
        Assert.Empty((await client.SimilarAsync("unknown", 16, 5, Stop)).Items);
    }

    [Fact]
    public async Task SimilarAsync_OfAnItemPublishedSinceTheRefresh_ReadsItFromTheStore()
    {
        float[][] vectors = await PublishAsync();
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);
        await client.Updater!.RefreshAsync(Stop);
        EmbeddingPublisher publisher = await redis.OpenAsync(_redis);
        await publisher.PublishAsync([ServingFixture.Item(Items, 2, vectors[7])], [], Stop);

        Assert.Equal("item7", (await client.SimilarAsync($"item{Items}", 16, 1, Stop)).Items[0].Id);
    }

    [Fact]
    public async Task CallsThatNeedTheIndex_BeforeItIsLoaded_SaySoAndThatItPasses()
    {
        await PublishAsync();
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);

        StreamingServingException early = await Assert.ThrowsAsync<StreamingServingException>(() =>
            client.SimilarAsync("item1", 8, 5, Stop)
        );
        Assert.Equal(("the index is loading", true), (early.Message, early.IsTransient));

        await client.Updater!.RefreshAsync(Stop);
        Assert.Null(client.Unready());
        StreamingServingException noTower = await Assert.ThrowsAsync<StreamingServingException>(() =>
            client.RecommendAsync("ann", 8, cancellationToken: Stop)
        );
        Assert.Equal($"no user tower is published for model '{_redis.Model}'", noTower.Message);
    }

    [Fact]
    public async Task CallsThatNeedTheIndex_OfAModelThatNobodyPublished_NameIt()
    {
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);
        await client.Updater!.RefreshAsync(Stop);

        Assert.Equal($"nothing is published for model '{_redis.Model}'", client.Unready());
    }

    [Fact]
    public async Task WithoutAnIndex_LookupsWorkAndTheOthersSayWhatToSet()
    {
        float[][] vectors = await PublishAsync();
        StreamingServingOptions options = Options;
        options.Index = false;
        using StreamingClient client = new(redis.Database, options, TimeProvider.System);

        Assert.Null(client.Updater);
        Assert.Equal(vectors[0], await client.GetAsync("item0", 16, Stop));
        StreamingServingException without = await Assert.ThrowsAsync<StreamingServingException>(() =>
            client.SimilarAsync("item0", 8, 5, Stop)
        );
        Assert.Contains("StreamingServingOptions.Index is false", without.Message, StringComparison.Ordinal);
        Assert.False(without.IsTransient);
    }

    [Fact]
    public async Task EveryCall_WhileRedisIsAway_FailsWithTheOneException()
    {
        ConfigurationOptions away = new()
        {
            EndPoints = { "127.0.0.1:1" },
            AbortOnConnectFail = false,
            ConnectTimeout = 100,
        };
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(away);
        StreamingServingOptions options = Options;
        options.RetryAttempts = 0;
        using StreamingClient client = new(connection.GetDatabase(), options, TimeProvider.System);

        StreamingServingException error = await Assert.ThrowsAsync<StreamingServingException>(() => client.GetAsync("item0", 8, Stop));

        Assert.StartsWith("Redis could not be read: ", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task WrongPartitions_FailWithBothFigures()
    {
        await PublishAsync();
        StreamingServingOptions options = Options;
        options.Partitions = 16;
        using StreamingClient client = new(redis.Database, options, TimeProvider.System);

        StreamingServingException error = await Assert.ThrowsAsync<StreamingServingException>(() => client.GetAsync("item0", 8, Stop));

        Assert.Contains("Partitions is 16", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public async Task Width_BelowOne_IsRefusedByName(int width)
    {
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(nameof(width), () => client.GetAsync("item0", width, Stop));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(nameof(width), () => client.SimilarAsync("item0", width, 5, Stop));
    }

    [Fact]
    public async Task Calls_AreMeasuredByNameAndOutcome()
    {
        await PublishAsync();
        using StreamingClient client = new(redis.Database, Options, TimeProvider.System);
        List<string> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Streaming.Serving")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(seen, $"{instrument.Name} {tags[0].Value} {value}"));
        listener.SetMeasurementEventCallback<double>(
            (instrument, _, tags, _) => Add(seen, $"{instrument.Name} {tags[0].Value} {tags[1].Value}")
        );
        listener.Start();

        await client.GetAsync(["item0", "unknown", "item1"], 8, Stop);
        await Assert.ThrowsAsync<StreamingServingException>(() => client.SimilarAsync("item0", 8, 5, Stop));

        Assert.Contains("streaming.serving.items found 2", seen);
        Assert.Contains("streaming.serving.items missing 1", seen);
        Assert.Contains("streaming.serving.duration get answered", seen);
        Assert.Contains("streaming.serving.duration similar failed", seen);
    }

    private static void Add(List<string> lines, string line)
    {
        lock (lines)
        {
            lines.Add(line);
        }
    }

    private static double Cosine(float[] left, float[] right) =>
        left.Zip(right, (a, b) => (double)a * b).Sum() / Math.Sqrt(left.Sum(a => (double)a * a) * right.Sum(b => (double)b * b));

    private async Task<float[][]> PublishAsync()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_redis);
        Random random = new(5);
        float[][] vectors = [.. Enumerable.Range(0, Items).Select(_ => ServingFixture.Vector(random))];
        List<Refresh> items = [.. vectors.Select((vector, i) => ServingFixture.Item(i, 1, vector))];
        await publisher.PublishAsync(items, [], Stop);
        return vectors;
    }
}
