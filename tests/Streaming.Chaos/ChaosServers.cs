using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Tests.Kafka;

namespace Streaming.Chaos;

/// <summary>
/// The servers that outlive the workers: librdkafka's broker in this process or three nodes of Apache Kafka, one Redis or
/// a cluster of three masters and three replicas.
/// </summary>
internal sealed class ChaosServers : IAsyncDisposable
{
    /// <summary>The catalogue's topic.</summary>
    public const string Items = "items";

    private const int Partitions = 4;
    private EmbeddedBroker? _broker;
    private LocalRedisServer? _redis;

    private ChaosServers() { }

    /// <summary>Gets the nodes of Apache Kafka; null: the broker is the embedded one.</summary>
    public KafkaCluster? Kafka { get; private set; }

    /// <summary>Gets the Redis Cluster; null: one server.</summary>
    public RedisCluster? RedisCluster { get; private set; }

    /// <summary>Gets the brokers' addresses.</summary>
    public string BootstrapServers => Kafka?.BootstrapServers ?? _broker!.BootstrapServers;

    /// <summary>Gets the process of the one Redis server.</summary>
    public int RedisProcess => _redis!.ProcessId;

    /// <summary>Gets the connection string of Redis.</summary>
    public string Redis => RedisCluster?.Configuration ?? _redis!.Configuration;

    /// <summary>Starts the servers and creates the topics.</summary>
    /// <param name="kafka">Whether the broker is Apache Kafka, from the distribution that STREAMING_KAFKA names.</param>
    /// <param name="redisCluster">Whether Redis is a cluster.</param>
    public static async Task<ChaosServers> StartAsync(bool kafka, bool redisCluster)
    {
        ChaosServers servers = new();
        try
        {
            await servers.StartKafkaAsync(kafka).ConfigureAwait(false);
            if (redisCluster)
            {
                servers.RedisCluster = await RedisCluster.StartAsync().ConfigureAwait(false);
            }
            else
            {
                servers._redis = await LocalRedisServer.StartAsync().ConfigureAwait(false);
            }

            return servers;
        }
        catch
        {
            await servers.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _broker?.Dispose();
        foreach (IAsyncDisposable? server in (IAsyncDisposable?[])[Kafka, _redis, RedisCluster])
        {
            if (server is not null)
            {
                await server.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task StartKafkaAsync(bool real)
    {
        if (!real)
        {
            _broker = new EmbeddedBroker();
            _broker.CreateTopic("interactions", Partitions);
            _broker.CreateTopic("interactions.dead-letters", 1);
            _broker.CreateTopic(Items, Partitions);
            return;
        }

        Kafka = await KafkaCluster.StartAsync().ConfigureAwait(false);
        using IAdminClient admin = Kafka.CreateAdmin();
        await admin
            .CreateTopicsAsync([
                new TopicSpecification { Name = "interactions", NumPartitions = Partitions },
                new TopicSpecification { Name = "interactions.dead-letters", NumPartitions = 1 },
                new TopicSpecification { Name = Items, NumPartitions = Partitions },
            ])
            .ConfigureAwait(false);
        await Kafka.UntilInSyncAsync().ConfigureAwait(false);
    }
}
