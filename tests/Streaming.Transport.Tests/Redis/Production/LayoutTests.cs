using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>A model keeps its initial key layout and number of partitions.</summary>
public sealed class LayoutTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly RedisOptions _options = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisKeys Newest => new(_options.Model, _options.Partitions);

    private RedisKeys Oldest => new(_options.Model, _options.Partitions, layout: 1);

    [Fact]
    public async Task Open_NewModel_HasTheNewestLayoutAndSaysSo()
    {
        await PublishAsync(_options);
        Assert.Equal("""{"layout":2,"partitions":8}""", await redis.Database.StringGetAsync(Newest.LayoutRecord));
        Assert.True(await redis.Database.KeyExistsAsync(Newest.Items(1).Key("item1")));
    }

    [Fact]
    public async Task Open_ModelFromBeforeThereWereRecords_KeepsItsLayout()
    {
        await MakeOldAsync();
        await PublishAsync(_options);

        Assert.Equal("""{"layout":1,"partitions":8}""", await redis.Database.StringGetAsync(Newest.LayoutRecord));
        Assert.True(await redis.Database.KeyExistsAsync(Oldest.Items(1).Key("item1")));
        Assert.False(await redis.Database.KeyExistsAsync(Newest.Items(1).Key("item1")));
        Assert.Equal(20, (await Generations(_options).CheckAsync(1, [.. Make.Items(20).Select(item => item.ItemId)], Stop)).Present);
        Assert.Equal(20, (await Generations(_options).ListAsync(1, Stop)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Open_OtherNumberOfPartitions_IsRefusedAndBothAreNamed(bool old)
    {
        await (old ? MakeOldAsync() : PublishAsync(_options));
        foreach (int partitions in (int[])[7, 9, 256])
        {
            RedisOptions other = _options with { Partitions = partitions };
            foreach (
                Func<Task> call in (Func<Task>[])
                    [
                        () => PublishAsync(other),
                        () => StoreAccess.CheckAsync(redis.Database, other, TimeProvider.System, Stop),
                        () => Generations(other).ListAsync(1, Stop),
                    ]
            )
            {
                KeyLayoutException error = await Assert.ThrowsAsync<KeyLayoutException>(call);
                Assert.Equal((partitions, 8), (error.Set, error.Stored));
            }
        }

        await PublishAsync(_options);
    }

    [Fact]
    public async Task Open_RecordDeleted_TheFencesTellTheLayout()
    {
        await PublishAsync(_options);
        await redis.Database.KeyDeleteAsync(Newest.LayoutRecord);
        await redis.Database.KeyDeleteAsync(Newest.Active);
        await PublishAsync(_options);
        Assert.Equal("""{"layout":2,"partitions":8}""", await redis.Database.StringGetAsync(Newest.LayoutRecord));
    }

    [Theory]
    [InlineData("""{"layout":3,"partitions":8}""", "layout 3")]
    [InlineData("theirs", "not JSON")]
    public async Task Check_RecordIsNewerOrForeign_IsRefused(string record, string said)
    {
        await redis.Database.StringSetAsync(Newest.LayoutRecord, record);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() =>
            StoreAccess.CheckAsync(redis.Database, _options, TimeProvider.System, Stop)
        );
        Assert.Contains(Newest.LayoutRecord, error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_NewModel_WritesNothing()
    {
        await StoreAccess.CheckAsync(redis.Database, _options, TimeProvider.System, Stop);
        Assert.Empty(redis.Connection.GetServers()[0].Keys(pattern: $"*:{_options.Model}:*"));
    }

    private GenerationSwitch Generations(RedisOptions options) => new(redis.Database, options, Make.Widths, TimeProvider.System);

    /// <summary>Writes fences and pointer like a trainer without layout records.</summary>
    private async Task MakeOldAsync()
    {
        for (int p = 0; p < _options.Partitions; p++)
        {
            await redis.Database.HashSetAsync(Oldest.Fence(p), [new HashEntry("t", 1), new HashEntry("n", 5)]);
        }

        await redis.Database.StringSetAsync(Oldest.Active, "1");
    }

    [Fact]
    public async Task Open_StoreEmptiedWhileAnotherAsks_NobodyGuessesFromHalfOfTheFences()
    {
        RedisOptions many = _options with { Partitions = 256 };
        EmbeddingPublisher publisher = new(redis.Database, many, Make.Widths, TimeProvider.System);
        for (int round = 0; round < 20; round++)
        {
            await publisher.OpenAsync(1, 2, Stop);
            RedisKey[] gone =
            [
                Newest.LayoutRecord,
                .. Enumerable
                    .Range(0, many.Partitions)
                    .Select(partition => (RedisKey)new RedisKeys(many.Model, many.Partitions).Fence(partition)),
            ];
            await redis.Database.KeyDeleteAsync(gone);

            // One raises the fences again, the other reads them for the first time.
            Task opening = publisher.OpenAsync(1, 2, Stop);
            Exception? refused = await Record.ExceptionAsync(() => StoreAccess.CheckAsync(redis.Database, many, TimeProvider.System, Stop));
            await opening;
            Assert.Null(refused);
            Assert.Equal(gone.Length, await redis.Database.KeyExistsAsync(gone));
        }
    }

    private async Task PublishAsync(RedisOptions options)
    {
        EmbeddingPublisher publisher = new(redis.Database, options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 2, Stop);
        Assert.Equal(20, (await publisher.PublishAsync(Make.Items(20), [], Stop)).Written);
    }
}
