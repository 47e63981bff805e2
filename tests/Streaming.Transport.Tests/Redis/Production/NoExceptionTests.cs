using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>A thrown exception costs more than a call, and hides those that matter: without faults none is thrown, caught or
/// not. Runs alone, since the client's threads cannot be attributed to a test.</summary>
[Collection(nameof(Alone))]
public sealed class NoExceptionTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_AllIsWell_NothingIsThrown()
    {
        await using LocalRedisServer server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        Assert.Empty(await ThrownAsync(new RedisOptions { Configuration = server.Configuration }));
    }

    [Fact]
    public async Task Cluster_AllIsWell_NothingIsThrown() => Assert.Empty(await ThrownAsync(fixture.Options()));

    /// <summary>What is thrown every time. Connections of earlier tests may still look for servers that have ended.</summary>
    private static async Task<IEnumerable<string>> ThrownAsync(RedisOptions options)
    {
        IEnumerable<string> thrown = [];
        List<ConnectionMultiplexer> connections = [];
        for (int attempt = 0; attempt < 5; attempt++)
        {
            thrown = await ThrownOnceAsync(options with { Model = $"{options.Model}-{attempt}" }, connections);
            if (!thrown.Any())
            {
                break;
            }
        }

        // Closing a socket during a read ends the read with an exception on this platform, at some time later.
        connections.ForEach(RedisConnection.Close);
        return thrown;
    }

    private static async Task<IEnumerable<string>> ThrownOnceAsync(RedisOptions options, List<ConnectionMultiplexer> connections)
    {
        ConcurrentQueue<string> thrown = [];
        void Note(object? sender, FirstChanceExceptionEventArgs thrower)
        {
            thrown.Enqueue($"{thrower.Exception.GetType().Name}: {thrower.Exception.Message} {new System.Diagnostics.StackTrace(1)}");
        }

        AppDomain.CurrentDomain.FirstChanceException += Note;
        try
        {
            connections.Add(await LiveAsync(options));
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Note;
        }

        return thrown;
    }

    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;

    private static async Task<ConnectionMultiplexer> LiveAsync(RedisOptions options)
    {
        ConnectionMultiplexer connection = await RedisConnection.OpenAsync(options, Stop);
        IDatabase database = connection.GetDatabase();
        await StoreAccess.CheckAsync(database, options, TimeProvider.System, Stop);
        using TrainerLease lease = new(database, options, "test", TimeProvider.System);
        await lease.AcquireAsync(0, Stop);
        EmbeddingPublisher publisher = new(database, options, Make.Widths, TimeProvider.System);
        Assert.Equal(StoreState.Empty, await publisher.OpenAsync(1, lease.Token, Stop));
        Assert.Equal(300, (await publisher.PublishAsync(Make.Items(300), [], Stop)).Written);
        Assert.True(await lease.RenewAsync(Stop));
        RedisKeys keys = new(options.Model, options.Partitions);
        Assert.False((await database.StringGetAsync(keys.Items(1).Key("item7"))).IsNull);
        Assert.True(await lease.ReleaseAsync(Stop));
        return connection;
    }
}
