using System.Text;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Tests;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>Nodes crash, replicas take over and slots move while a trainer publishes.</summary>
public sealed class ClusterTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>, IAsyncLifetime
{
    private readonly IncidentLog _incidents = new();
    private readonly RedisOptions _options = fixture.Options();
    private ConnectionMultiplexer _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private RedisCluster Cluster => fixture.Cluster;

    private RedisKeys Keys => new(_options.Model, _options.Partitions);

    public async ValueTask InitializeAsync() => _connection = await RedisConnection.OpenAsync(_options);

    public ValueTask DisposeAsync()
    {
        RedisConnection.Close(_connection);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Publish_MasterKilledMeanwhile_EverythingIsWrittenAtItsNewestStep()
    {
        EmbeddingPublisher publisher = await OpenAsync(1);
        using RefreshOutbox outbox = new();
        Task running = publisher.RunAsync(outbox, Stop);
        outbox.Post([.. Make.Items(200, step: 1)]);
        await UntilAsync(() => publisher.Metrics.Written >= 200);
        RedisNode master = await Cluster.MasterOfAsync(0);
        RedisNode replica = Assert.Single(await Cluster.ReplicasOfAsync(master));
        await master.KillAsync();
        for (int step = 2; step <= 30; step++)
        {
            outbox.Post([.. Make.Items(200, step)]);
            await Task.Delay(20, Stop);
        }

        await _incidents.WaitForAsync(PublishIncidentKind.Failed, Stop);
        await Cluster.FailOverAsync(replica, force: true);
        outbox.Complete();
        await running;

        await AssertStoredAsync(200, token: 1, step: 30);
        Assert.False(publisher.Metrics.Degraded);
        await master.RestartAsync();
        await Cluster.WaitUntilOkAsync();
    }

    [Fact]
    public async Task Publish_SlotMovesMeanwhile_RedirectionsAreFollowed()
    {
        EmbeddingPublisher publisher = await OpenAsync(1);
        await PublishAsync(publisher, 200, step: 1);
        int slot = HashSlots.Of(Encoding.ASCII.GetBytes(Keys.Tag(3)));
        RedisNode source = await Cluster.MasterOfAsync(slot);
        RedisNode target = await Cluster.MasterOfAsync((slot + (HashSlots.Count / 3)) % HashSlots.Count);
        await Cluster.MoveSlotAsync(
            slot,
            target,
            async () =>
            {
                // Only some keys have moved: a script over both kinds gets TRYAGAIN, and one over moved keys is redirected (ASK).
                List<Refresh> failed = [];
                await publisher.PublishAsync(Make.Items(200, step: 2), failed, Stop);
                Assert.All(failed, item => Assert.Equal(3, Keys.Partition(item.ItemKey)));
            }
        );
        await PublishAsync(publisher, 200, step: 3);
        await AssertStoredAsync(200, token: 1, step: 3);
        Assert.NotSame(source, await Cluster.MasterOfAsync(slot));
        await Cluster.MoveSlotAsync(slot, source);
        await PublishAsync(publisher, 200, step: 4);
        await AssertStoredAsync(200, token: 1, step: 4);
    }

    /// <summary>Replication is asynchronous: the replica that takes over has neither the new trainer's fence nor its writes.</summary>
    [Fact]
    public async Task FailOver_ReplicaHadNotReceivedTheNewTrainersWrites_TheyAreNoticedAndTheOldTrainerIsRefused()
    {
        IDatabase database = _connection.GetDatabase();
        using TrainerLease oldLease = new(database, _options, "old", TimeProvider.System);
        using TrainerLease newLease = new(database, _options, "new", TimeProvider.System);
        await oldLease.AcquireAsync(0, Stop);
        EmbeddingPublisher old = await OpenAsync(oldLease.Token);
        await PublishAsync(old, 100, step: 10);
        RedisNode master = await Cluster.MasterOfAsync(HashSlots.Of("lease"u8));
        RedisNode replica = Assert.Single(await Cluster.ReplicasOfAsync(master));
        Assert.Empty(await new StoreServers(_connection).UnconfirmedAsync(Stop));

        replica.Freeze();
        EmbeddingPublisher next;
        try
        {
            await master.SendAsync("CLIENT", "KILL", "TYPE", "replica");
            await database.KeyDeleteAsync(Keys.LeaseHolder()); // as if it had expired
            await newLease.AcquireAsync(0, Stop);
            next = await OpenAsync(newLease.Token);
            await PublishAsync(next, 100, step: 5);
            await master.KillAsync();
        }
        finally
        {
            replica.Thaw();
        }

        await Cluster.FailOverAsync(replica, force: true);

        Assert.StartsWith(
            $"{oldLease.Token} ",
            (string?)await Retry(() => database.StringGetAsync(Keys.LeaseHolder())),
            StringComparison.Ordinal
        );
        Assert.True(await Retry(() => newLease.RenewAsync(Stop)));
        Assert.False(await oldLease.RenewAsync(Stop));
        List<Refresh> failed = Make.Items(100, step: 6);
        while (failed.Count > 0)
        {
            List<Refresh> again = failed;
            failed = [];
            await next.PublishAsync(again, failed, Stop);
        }

        await _incidents.WaitForAsync(PublishIncidentKind.WritesLost, Stop);
        foreach (Refresh item in Make.Items(40, step: 99))
        {
            await Assert.ThrowsAsync<FencedException>(() => old.PublishAsync([item], [], Stop));
        }

        await AssertStoredAsync(100, newLease.Token, step: 6);
        await master.RestartAsync();
        await Cluster.WaitUntilOkAsync();
    }

    [Fact]
    public async Task Open_256PartitionsOn3Masters_EachHasAThird()
    {
        RedisOptions options = _options with { Partitions = 256 };
        await new EmbeddingPublisher(_connection.GetDatabase(), options, Make.Widths, TimeProvider.System).OpenAsync(1, 1, Stop);
        List<int> fences = [];
        foreach (IServer server in _connection.GetServers().Where(server => server.IsConnected))
        {
            // Of the server itself: what the client takes it for may be of before a fail-over.
            if (await server.RoleAsync() is not Role.Master)
            {
                continue;
            }

            fences.Add(await server.KeysAsync(pattern: $"l:{options.Model}:{{*").CountAsync(Stop));
        }

        Assert.Equal([85, 85, 86], fences.Order());
    }

    private static async Task<T> Retry<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception error) when (EmbeddingPublisher.IsOutage(error))
            {
                await Task.Delay(50, Stop);
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, Stop);
        }
    }

    private static async Task PublishAsync(EmbeddingPublisher publisher, int count, long step)
    {
        List<Refresh> left = Make.Items(count, step);
        while (left.Count > 0)
        {
            List<Refresh> failed = [];
            await publisher.PublishAsync(left, failed, Stop);
            left = failed;
        }
    }

    private async Task<EmbeddingPublisher> OpenAsync(uint token)
    {
        EmbeddingPublisher publisher = new(_connection.GetDatabase(), _options, Make.Widths, TimeProvider.System, _incidents.Add);
        await publisher.OpenAsync(1, token, Stop);
        return publisher;
    }

    private async Task AssertStoredAsync(int count, uint token, long step)
    {
        ItemKeySpace space = Keys.Items(1);
        for (int i = 0; i < count; i++)
        {
            byte[]? value = await Retry(() => _connection.GetDatabase().StringGetAsync(space.Key($"item{i}")));
            EmbeddingStamp stamp = EmbeddingValue.Read(value).Stamp;
            Assert.Equal((token, step), (stamp.Token, stamp.Step));
        }
    }
}
