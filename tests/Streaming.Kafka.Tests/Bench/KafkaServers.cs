using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>The servers shared by all cases, each started by the first case that needs it.</summary>
public sealed class KafkaServers : IAsyncLifetime
{
    private readonly Lazy<Task<KafkaCluster>> _plain = new(static () => KafkaCluster.StartAsync());
    private readonly Lazy<Task<KafkaCluster>> _secure = new(static () => KafkaCluster.StartAsync(secure: true));
    private readonly Lazy<Task<RedisServer>> _redis = new(RedisServer.StartAsync);
    private int _cases;

    /// <summary>Three nodes without access control.</summary>
    internal Task<KafkaCluster> Plain => _plain.Value;

    /// <summary>Three nodes with TLS, users and access control.</summary>
    internal Task<KafkaCluster> Secure => _secure.Value;

    /// <summary>One Redis; each case uses a separate model.</summary>
    internal Task<RedisServer> Redis => _redis.Value;

    /// <summary>Returns a unique name.</summary>
    internal string NextName() => $"case{Interlocked.Increment(ref _cases)}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<Task<KafkaCluster>> cluster in new[] { _plain, _secure })
        {
            if (cluster is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                await (await cluster.Value).DisposeAsync();
            }
        }

        if (_redis is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _redis.Value).DisposeAsync();
        }
    }
}
