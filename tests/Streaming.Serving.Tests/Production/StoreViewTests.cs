using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Lab.Embedded;
using Streaming.Serving.Changes;
using Streaming.Serving.Lookups;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Production;

/// <summary>Readers find a model by the store's records: layout, partitions, pointer.</summary>
public sealed class StoreViewTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private readonly RedisOptions _options = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_ModelOfLayout1_IsFoundByEveryReader()
    {
        RedisKeys oldest = new(_options.Model, _options.Partitions, layout: 1);
        for (int p = 0; p < _options.Partitions; p++)
        {
            await redis.Database.HashSetAsync(oldest.Fence(p), [new HashEntry("t", 1)]);
        }

        await redis.Database.StringSetAsync(oldest.Active, "1");
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        ServingOptions serving = ServingFixture.Serving(_options);
        ChangeFeedReader feed = new(redis.Database, serving, TimeProvider.System);
        await publisher.PublishAsync([ServingFixture.Item(1, 1, new float[16])], [], Stop);

        Assert.True(await redis.Database.KeyExistsAsync(oldest.Items(1).Key("item1")));
        Assert.Equal(ItemStatus.Found, await StatusAsync(serving));
        Assert.Equal(1, (await feed.ReadAsync([], Stop)).Changes);

        // A trainer from before layout records existed writes none.
        await redis.Database.KeyDeleteAsync(oldest.LayoutRecord);
        Assert.Equal(ItemStatus.Found, await StatusAsync(serving));
    }

    [Fact]
    public async Task Read_OtherNumberOfPartitions_SaysSoInsteadOfFindingNothing()
    {
        await redis.OpenAsync(_options);
        ServingOptions serving = ServingFixture.Serving(_options) with { Partitions = 64 };
        foreach (
            Func<Task> read in (Func<Task>[])
                [
                    () => StatusAsync(serving),
                    () => new ChangeFeedReader(redis.Database, serving, TimeProvider.System).ReadAsync([], Stop),
                    () => new UserHistoryReader(redis.Database, serving, TimeProvider.System).ReadAsync("ann", new ulong[1], Stop),
                ]
        )
        {
            KeyLayoutException error = await Assert.ThrowsAsync<KeyLayoutException>(read);
            Assert.Equal((64, 8), (error.Set, error.Stored));
        }
    }

    [Fact]
    public async Task Read_StoreReplacedByOneOfAnotherLayout_IsFollowed()
    {
        await redis.Database.StringSetAsync(new RedisKeys(_options.Model).Active, "1");
        ServingOptions serving = ServingFixture.Serving(_options);
        EmbeddingReader reader = new(redis.Database, serving, TimeProvider.System);
        Assert.Equal(ItemStatus.Missing, (await reader.ReadAsync("item1", new float[4], Stop)).Status);
        await redis.Database.KeyDeleteAsync(new RedisKeys(_options.Model).Active);
        EmbeddingPublisher publisher = await redis.OpenAsync(_options);
        await publisher.PublishAsync([ServingFixture.Item(1, 1, new float[16])], [], Stop);

        Assert.Equal(ItemStatus.Found, (await reader.ReadAsync("item1", new float[4], Stop)).Status);
    }

    [Fact]
    public async Task Read_ServerDoesNotAnswer_ThrowsTimeoutException()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(new RedisOptions { Configuration = server.Configuration }, Stop);
        ServingOptions serving = new() { Timeout = TimeSpan.FromMilliseconds(50), RetryAttempts = 1 };
        await connection.GetDatabase().ExecuteAsync("EVAL", "return 1", 0);
        Task blocked = connection.GetDatabase().ExecuteAsync("BLPOP", "none", "1");

        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() =>
            new EmbeddingReader(connection.GetDatabase(), serving, TimeProvider.System).ReadAsync("item1", new float[4], Stop)
        );
        Assert.Contains("50 ms", error.Message, StringComparison.Ordinal);
        await blocked;
        RedisConnection.Close(connection);
    }

    /// <summary>A single server takes keys of all partitions in one command.</summary>
    [Fact]
    public async Task Read_500ItemsOfASingleServer_IsOneCommand()
    {
        await redis.OpenAsync(_options with { Partitions = 256 });
        EmbeddingReader reader = new(redis.Database, ServingFixture.Serving(_options) with { Partitions = 256 }, TimeProvider.System);
        string[] ids = [.. Enumerable.Range(0, 500).Select(i => $"item{i}")];
        long before = await CallsAsync();
        await reader.ReadAsync(ids, 4, new float[2000], new ItemRead[500], Stop);
        Assert.Equal(before + 1, await CallsAsync());
    }

    private async Task<ItemStatus> StatusAsync(ServingOptions serving) =>
        (await new EmbeddingReader(redis.Database, serving, TimeProvider.System).ReadAsync("item1", new float[4], Stop)).Status;

    private async Task<long> CallsAsync()
    {
        string stats = (string)(await redis.Database.ScriptEvaluateAsync("return redis.call('INFO', 'commandstats')"))!;
        string? line = stats.Split("\r\n").FirstOrDefault(line => line.StartsWith("cmdstat_mget:calls=", StringComparison.Ordinal));
        return line is null
            ? 0
            : long.Parse(
                line["cmdstat_mget:calls=".Length..line.IndexOf(',', StringComparison.Ordinal)],
                System.Globalization.CultureInfo.InvariantCulture
            );
    }
}
