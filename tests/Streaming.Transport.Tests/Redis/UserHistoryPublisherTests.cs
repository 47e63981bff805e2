using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public sealed class UserHistoryPublisherTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const long Now = 1_700_000_000_000;

    private readonly RedisOptions _options = redis.Options() with { UserTimeToLive = TimeSpan.FromHours(1) };
    private readonly HistoryStore _histories = new(new HistoryOptions { Length = 4, MaxUsers = 5000 });
    private readonly ulong[] _before = new ulong[4];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisKeys Keys => new(_options.Model, _options.Partitions);

    [Fact]
    public async Task RunAsync_ManyUsers_AreWrittenWithTimeToLive()
    {
        await OpenAsync(token: 1);
        UserHistoryPublisher publisher = Publisher();
        HistoryFeed feed = new(_histories, 3, 5000, TimeSpan.Zero, TimeProvider.System);
        for (ulong user = 0; user < 3000; user++)
        {
            for (ulong item = 0; item < 1 + (user % 5); item++)
            {
                _histories.Append(user, user + item, Now + (long)item, 0, _before);
            }

            feed.Touch(user, Now);
        }

        feed.Complete();
        await publisher.RunAsync(feed, 1, Stop);

        Assert.Equal(
            (3000, 0, 0, 3000),
            (publisher.Metrics.Written, publisher.Metrics.Skipped, publisher.Metrics.Failed, publisher.Metrics.Freshness.Count)
        );
        Assert.Equal("1000", await ReadAsync(1000));
        Assert.Equal("2001, 2002, 2003", await ReadAsync(1999));
        Assert.InRange((await redis.Database.KeyTimeToLiveAsync(Keys.User(1999)))!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task PublishAsync_HistoryThatHasComeLessFar_IsSkipped()
    {
        await OpenAsync(token: 1);
        UserHistoryPublisher publisher = Publisher();
        List<UserHistoryBatch> states = [];
        // A basket: the newest time is equal, the sum differs. Then a late event: the newest time stays, the sum grows.
        foreach (
            (ulong item, long time) in new (ulong, long)[] { (1, Now), (2, Now), (3, Now + 5), (4, Now + 1), (5, Now + 6), (6, Now + 3) }
        )
        {
            _histories.Append(7, item, time, 0, _before);
            states.Add(Batch(7));
        }

        Assert.Equal(1, (await publisher.PublishAsync(states[^1], 1, Stop)).Written);
        await OpenAsync(token: 2); // a restart, from any earlier state
        foreach (UserHistoryBatch older in states.SkipLast(1))
        {
            Assert.Equal(new PublishCounts(0, 0, 1, 0, 0), await publisher.PublishAsync(older, 2, Stop));
        }

        Assert.Equal("4, 6, 3, 5", await ReadAsync(7));
        Assert.Equal(1, (await publisher.PublishAsync(states[^1], 2, Stop)).Skipped);
        _histories.Append(7, 8, Now + 7, 0, _before);
        Assert.Equal(1, (await publisher.PublishAsync(Batch(7), 2, Stop)).Written);
        Assert.Equal("6, 3, 5, 8", await ReadAsync(7));
    }

    [Fact]
    public async Task PublishAsync_OldTrainerAfterTakeover_IsRefused()
    {
        await OpenAsync(token: 1);
        await OpenAsync(token: 2);
        _histories.Append(7, 1, Now, 0, _before);
        FencedException error = await Assert.ThrowsAsync<FencedException>(() => Publisher().PublishAsync(Batch(7), 1, Stop));

        Assert.Equal((1u, 2u), (error.Token, error.Newer));
        Assert.True((await redis.Database.StringGetAsync(Keys.User(7))).IsNull);
    }

    [Fact]
    public async Task ReplaceAsync_AfterAReturn_StoreHasTheHistoriesThatWereReturnedTo()
    {
        await OpenAsync(token: 1);
        HistoryStore kept = new(new HistoryOptions { Length = 4, MaxUsers = 5000 });
        foreach (HistoryStore store in new[] { kept, _histories })
        {
            store.Append(7, 1, Now, 0, _before);
            store.Append(8, 2, Now, 0, _before);
        }

        _histories.Append(7, 3, Now + 5, 0, _before); // abandoned: one user continues, another is new
        _histories.Append(9, 4, Now + 5, 0, _before);
        foreach (ulong user in new ulong[] { 7, 8, 9 })
        {
            await Publisher().PublishAsync(Batch(user), 1, Stop);
        }

        await OpenAsync(token: 2);
        IReadOnlyList<UserHistoryBatch> replaced = HistoryDifferences.Between(HistoryDifferences.Ages(_histories), kept, 4);
        Assert.Equal(new ulong[] { 7, 9 }, replaced.SelectMany(static batch => batch.Users.Take(batch.Count)).Order());
        await Publisher().ReplaceAsync(replaced, 2, Stop);

        Assert.Equal("1", await ReadAsync(7));
        Assert.Equal("2", await ReadAsync(8));
        Assert.True((await redis.Database.StringGetAsync(Keys.User(9))).IsNull);
        await Assert.ThrowsAsync<FencedException>(() => Publisher().ReplaceAsync(replaced, 1, Stop));
    }

    [Fact]
    public async Task RunAsync_StoreEmptied_WaitsForTheFencesAndContinues()
    {
        List<PublishIncident> incidents = [];
        UserHistoryPublisher publisher = new(redis.Database, _options, TimeProvider.System, incidents.Add);
        HistoryFeed feed = new(_histories, 3, 10, TimeSpan.Zero, TimeProvider.System);
        _histories.Append(7, 1, Now, 0, _before);
        feed.Touch(7, Now);
        feed.Complete();
        Task running = publisher.RunAsync(feed, 1, Stop);
        while (publisher.Metrics.Failed == 0)
        {
            await Task.Delay(5, Stop);
        }

        Assert.True(publisher.Metrics.Degraded);
        await OpenAsync(token: 1);
        await running;
        Assert.Equal("1", await ReadAsync(7));
        Assert.False(publisher.Metrics.Degraded);
        Assert.Equal([PublishIncidentKind.Failed, PublishIncidentKind.Recovered], incidents.Select(incident => incident.Kind));
    }

    [Fact]
    public async Task PublishAsync_ForeignValueUnderTheKey_IsReplaced()
    {
        await OpenAsync(token: 1);
        await redis.Database.StringSetAsync(Keys.User(7), "something else that is longer than a header");
        _histories.Append(7, 1, Now, 0, _before);

        Assert.Equal(1, (await Publisher().PublishAsync(Batch(7), 1, Stop)).Written);
        Assert.Equal("1", await ReadAsync(7));
    }

    private UserHistoryPublisher Publisher() => new(redis.Database, _options, TimeProvider.System);

    private UserHistoryBatch Batch(ulong user)
    {
        UserHistoryBatch batch = new(1, 4);
        batch.Add(_histories, user, 0);
        return batch;
    }

    private async Task OpenAsync(uint token) =>
        await new EmbeddingPublisher(redis.Database, _options, Make.Widths, TimeProvider.System).OpenAsync(1, token, Stop);

    private async Task<string> ReadAsync(ulong user)
    {
        ulong[] items = new ulong[10];
        RedisValue value = await redis.Database.StringGetAsync(Keys.User(user));
        Assert.Equal(EmbeddingFault.None, UserHistoryValue.TryDecode((byte[])value!, items, out int count, out _));
        return string.Join(", ", items.Take(count));
    }
}
