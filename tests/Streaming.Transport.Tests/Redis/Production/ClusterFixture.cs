using Streaming.Tests;
using Streaming.Transport.Redis;
using Xunit;

namespace Streaming.Transport.Tests.Redis.Production;

/// <summary>One cluster for the tests of a class, which run sequentially. Each uses a separate model.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private int _models;

    internal RedisCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await RedisCluster.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (Cluster is not null)
        {
            await Cluster.DisposeAsync();
        }
    }

    internal RedisOptions Options() =>
        new()
        {
            Configuration = Cluster.Configuration,
            Model = $"model{Interlocked.Increment(ref _models)}",
            Partitions = 12,
            CommandTimeout = TimeSpan.FromSeconds(2),
            RetryAttempts = 1,
            RetryDelay = TimeSpan.FromMilliseconds(20),
        };
}
