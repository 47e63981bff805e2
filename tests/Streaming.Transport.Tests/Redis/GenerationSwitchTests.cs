using Streaming.Core.Embeddings;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public sealed class GenerationSwitchTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly RedisOptions _options = redis.Options() with { TimeToLive = TimeSpan.Zero };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string[] Ids => [.. Make.Items(100).Select(item => item.ItemId)];

    [Theory]
    [InlineData(EmbeddingKeyLayout.Nested)]
    [InlineData(EmbeddingKeyLayout.PerWidth)]
    public async Task FlipAsync_NewGenerationBesideTheOld_MovesThePointerAndBack(EmbeddingKeyLayout layout)
    {
        RedisOptions options = redis.Options() with { Layout = layout };
        GenerationSwitch generations = new(redis.Database, options, Make.Widths, TimeProvider.System);
        Assert.Equal(0u, await generations.ActiveAsync(Stop));
        await PublishAsync(options, 1, 100);
        Assert.Equal(1u, await generations.ActiveAsync(Stop));

        await PublishAsync(options, 2, 99);
        Assert.Equal(new GenerationCheck(Expected: 100, Present: 99), await generations.CheckAsync(2, Ids, Stop));
        await PublishAsync(options, 2, 100);
        Assert.True((await generations.CheckAsync(2, Ids, Stop)).IsComplete);
        Assert.Equal(1u, await generations.ActiveAsync(Stop));

        Assert.False(await generations.FlipAsync(5, 2, Stop));
        Assert.True(await generations.FlipAsync(1, 2, Stop));
        Assert.Equal(2u, await generations.ActiveAsync(Stop));
        Assert.True(await generations.FlipAsync(2, 1, Stop));
        Assert.Equal(1u, await generations.ActiveAsync(Stop));
    }

    [Fact]
    public async Task RetireAsync_OldGeneration_ItsKeysExpireAndTheActiveOnesStay()
    {
        GenerationSwitch generations = new(redis.Database, _options, Make.Widths, TimeProvider.System);
        await PublishAsync(_options, 1, 100);
        await PublishAsync(_options, 2, 100);
        await generations.FlipAsync(1, 2, Stop);
        await Assert.ThrowsAsync<InvalidOperationException>(() => generations.RetireAsync(2, Ids, TimeSpan.FromHours(1), Stop));
        await generations.RetireAsync(1, Ids, TimeSpan.FromHours(1), Stop);

        RedisKeys keys = new(_options.Model, _options.Partitions);
        foreach (string id in Ids)
        {
            Assert.NotNull(await redis.Database.KeyTimeToLiveAsync(keys.Items(1).Key(id)));
            Assert.Null(await redis.Database.KeyTimeToLiveAsync(keys.Items(2).Key(id)));
            Assert.NotNull(await redis.Database.KeyTimeToLiveAsync(keys.Related(1, Make.Key(id))));
            Assert.Null(await redis.Database.KeyTimeToLiveAsync(keys.Related(2, Make.Key(id))));
        }
    }

    private async Task PublishAsync(RedisOptions options, uint generation, int count)
    {
        EmbeddingPublisher publisher = new(redis.Database, options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(generation, 1, Stop);
        Assert.Equal(
            count,
            (
                await publisher.PublishAsync(
                    [.. Make.Items(count).Select(item => item with { Related = new RelatedItems(10, [new(1, 0.5f)], []) })],
                    [],
                    Stop
                )
            ).Written
        );
    }
}
