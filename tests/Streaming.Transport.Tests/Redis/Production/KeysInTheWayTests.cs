using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Core.Refreshes;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>Keys of the wrong type under a model's names, and deleted keys.</summary>
public sealed class KeysInTheWayTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly RedisOptions _options = redis.Options() with { RetryAttempts = 1 };
    private readonly List<PublishIncident> _incidents = [];
    private readonly List<Refresh> _failed = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisKeys Keys => new(_options.Model, _options.Partitions);

    [Theory]
    [InlineData(EmbeddingKeyLayout.Nested)]
    [InlineData(EmbeddingKeyLayout.PerWidth)]
    public async Task Publish_AnItemsKeyIsAList_ItIsNamedCountedAndLeftAloneAndOthersAreWritten(EmbeddingKeyLayout layout)
    {
        EmbeddingPublisher publisher = await OpenAsync(_options with { Layout = layout });
        string key = Encoding.UTF8.GetString(Keys.Items(1, layout == EmbeddingKeyLayout.Nested ? null : 8).Key("item7"));
        await redis.Database.ListLeftPushAsync(key, "theirs");
        PublishCounts counts = await publisher.PublishAsync(Make.Items(100), _failed, Stop);

        Assert.Equal(new PublishCounts(Written: 99, Removed: 0, Skipped: 0, Rejected: 1, Failed: 0), counts);
        PublishIncident incident = Assert.Single(_incidents);
        Assert.Equal((PublishIncidentKind.Rejected, 1), (incident.Kind, incident.Items));
        Assert.StartsWith(
            $"the newest vector of 1 item is not in Redis: that of 'item7' has no place: {key} is not a string",
            incident.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(1, await redis.Database.ListLengthAsync(key));

        await redis.Database.KeyDeleteAsync(key);
        await publisher.PublishAsync(Make.Items(100, step: 2), _failed, Stop);
        Assert.Empty(publisher.Metrics.Refused.Describe(VectorFault.WrongType));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_FenceOrFeedIsOfAnotherType_ItIsNamedAndOtherPartitionsAreWritten(bool fence)
    {
        EmbeddingPublisher publisher = await OpenAsync(_options);
        await redis.Database.KeyDeleteAsync(fence ? Keys.Fence(3) : Keys.Changes(3));
        await redis.Database.SetAddAsync(fence ? Keys.Fence(3) : Keys.Changes(3), "theirs");
        PublishCounts counts = await publisher.PublishAsync(Make.Items(100), _failed, Stop);

        Assert.Equal(100, counts.Written + counts.Failed);
        Assert.Equal(_failed.Count, counts.Failed);
        Assert.All(_failed, item => Assert.Equal(3, Keys.Partition(item.ItemKey)));
        Assert.Contains(
            _incidents,
            incident => incident.Kind == PublishIncidentKind.WrongType && incident.Message.Contains(Keys.Fence(3), StringComparison.Ordinal)
        );

        await redis.Database.KeyDeleteAsync(fence ? Keys.Fence(3) : Keys.Changes(3));
        List<Refresh> again = [.. _failed];
        _failed.Clear();
        Assert.Equal(again.Count, (await publisher.PublishAsync(again, _failed, Stop)).Written);
    }

    [Fact]
    public async Task PublishUsers_AUsersKeyIsASet_ItIsNamedCountedAndLeftAloneAndOthersAreWritten()
    {
        await OpenAsync(_options);
        HistoryStore histories = new(new HistoryOptions { Length = 4, MaxUsers = 100 });
        UserHistoryBatch batch = new(50, 4);
        for (ulong user = 0; user < 50; user++)
        {
            histories.Append(user, 1, 1_700_000_000_000, 0, new ulong[4]);
            batch.Add(histories, user, 0);
        }

        await redis.Database.SetAddAsync(Keys.User(7), "theirs");
        PublishCounts counts = await new UserHistoryPublisher(redis.Database, _options, TimeProvider.System, _incidents.Add).PublishAsync(
            batch,
            1,
            Stop
        );

        Assert.Equal(new PublishCounts(Written: 49, Removed: 0, Skipped: 0, Rejected: 1, Failed: 0), counts);
        Assert.StartsWith(Keys.User(7), Assert.Single(_incidents).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_PointerAndLayoutDeleted_AreWrittenAgainAndNamed()
    {
        EmbeddingPublisher publisher = await OpenAsync(_options);
        await publisher.RestoreAsync(Stop);
        Assert.Empty(_incidents);
        await redis.Database.KeyDeleteAsync(Keys.Active);
        await redis.Database.KeyDeleteAsync(Keys.LayoutRecord);
        await publisher.RestoreAsync(Stop);

        PublishIncident incident = Assert.Single(_incidents);
        Assert.Equal(PublishIncidentKind.Restored, incident.Kind);
        Assert.StartsWith($"Rewrote {Keys.Active} and {Keys.LayoutRecord}, ", incident.Message, StringComparison.Ordinal);
        Assert.Equal("1", await redis.Database.StringGetAsync(Keys.Active));
        Assert.Equal(Keys.Layout, KeyLayout.Parse((byte[])(await redis.Database.StringGetAsync(Keys.LayoutRecord))!));
    }

    [Fact]
    public async Task Publish_AFenceDeleted_IsRaisedAgainAndEverythingIsAskedFor()
    {
        EmbeddingPublisher publisher = await OpenAsync(_options);
        await publisher.PublishAsync(Make.Items(50, step: 1), _failed, Stop);
        await redis.Database.KeyDeleteAsync(Keys.Fence(2));

        Assert.Equal(50, (await publisher.PublishAsync(Make.Items(50, step: 2), _failed, Stop)).Written);
        Assert.Equal(PublishIncidentKind.StoreEmpty, Assert.Single(_incidents).Kind);
        Assert.Equal(1, await redis.Database.HashGetAsync(Keys.Fence(2), "t"));
    }

    [Theory]
    [InlineData("hash", "holder")]
    [InlineData("hash", "token")]
    public async Task Acquire_LeaseIsOfAnotherType_FailsAtOnceAndNamesIt(string type, string which)
    {
        RedisKey key = which == "holder" ? Keys.LeaseHolder() : Keys.LeaseToken();
        await redis.Database.HashSetAsync(key, type, "theirs");
        using TrainerLease lease = new(redis.Database, _options, "a", TimeProvider.System);

        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() => lease.AcquireAsync(0, Stop));
        Assert.Contains(key.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("WRONGTYPE", error.Message, StringComparison.Ordinal);
    }

    private async Task<EmbeddingPublisher> OpenAsync(RedisOptions options)
    {
        EmbeddingPublisher publisher = new(redis.Database, options, Make.Widths, TimeProvider.System, _incidents.Add);
        await publisher.OpenAsync(1, 1, Stop);
        return publisher;
    }
}
