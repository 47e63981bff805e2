using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Serving.Lookups;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Lookups;

public sealed class UserHistoryReaderTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private readonly RedisOptions _options = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAsync_PublishedHistory_GivesTheNewestThatFit()
    {
        HistoryStore histories = new(new HistoryOptions { Length = 10, MaxUsers = 10 });
        HistoryFeed feed = new(histories, 10, 10, TimeSpan.Zero, TimeProvider.System);
        foreach (ulong item in (ulong[])[1, 2, ulong.MaxValue])
        {
            histories.Append(RedisKeys.Hash("ann"), item, 1_700_000_000_000, 0, new ulong[10]);
            feed.Touch(RedisKeys.Hash("ann"), 0);
        }

        feed.Complete();
        await redis.OpenAsync(_options);
        await new UserHistoryPublisher(redis.Database, _options, TimeProvider.System).RunAsync(feed, 1, Stop);
        UserHistoryReader reader = Reader();
        ulong[] items = new ulong[10];

        Assert.Equal(3, await reader.ReadAsync("ann", items, Stop));
        Assert.Equal([1, 2, ulong.MaxValue], items.Take(3));
        Assert.Equal(2, await reader.ReadAsync("ann", items.AsMemory(0, 2), Stop));
        Assert.Equal([2, ulong.MaxValue], items.Take(2));
        Assert.Equal(0, await reader.ReadAsync("eve", items, Stop));
        Assert.NotNull(await redis.Database.KeyTimeToLiveAsync(new RedisKeys(_options.Model, 8).User(RedisKeys.Hash("ann"))));
    }

    [Fact]
    public async Task ReadAsync_ForeignValue_IsRefused()
    {
        await redis.Database.StringSetAsync(new RedisKeys(_options.Model, 8).User(RedisKeys.Hash("ann")), "junk");
        EmbeddingFormatException error = await Assert.ThrowsAsync<EmbeddingFormatException>(() =>
            Reader().ReadAsync("ann", new ulong[5], Stop)
        );
        Assert.Equal(EmbeddingFault.Foreign, error.Fault);
    }

    private UserHistoryReader Reader() => new(redis.Database, ServingFixture.Serving(_options), TimeProvider.System);
}
