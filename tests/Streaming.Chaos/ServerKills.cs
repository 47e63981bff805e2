using Streaming.Tests;
using Streaming.Tests.Kafka;

namespace Streaming.Chaos;

/// <summary>
/// Kills a Kafka node or a Redis master with SIGKILL, one at a time, and restarts it some seconds later; another replica
/// takes over in between. The next is killed only when all replicas are in sync, so that the last copy never dies.
/// </summary>
internal sealed class ServerKills(ChaosServers servers, Random random)
{
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(4);

    /// <summary>Gets how many Kafka nodes were killed.</summary>
    public int Brokers { get; private set; }

    /// <summary>Gets how many Redis masters were killed.</summary>
    public int Masters { get; private set; }

    /// <summary>Kills one of the servers, sometimes none.</summary>
    /// <returns>Completes when the cluster is whole again.</returns>
    public Task KillOneAsync() =>
        random.Next(5) switch
        {
            0 or 1 when servers.Kafka is { } kafka => KillBrokerAsync(kafka),
            2 or 3 when servers.RedisCluster is { } redis => KillMasterAsync(redis),
            _ => Task.CompletedTask,
        };

    private async Task KillBrokerAsync(KafkaCluster kafka)
    {
        KafkaNode victim = kafka.Nodes[random.Next(kafka.Nodes.Count)];
        await victim.KillAsync().ConfigureAwait(false);
        Brokers++;
        Console.WriteLine($"Kafka node {victim.Id} killed");
        await Task.Delay(Away).ConfigureAwait(false);
        victim.Start();
        await kafka.UntilBrokersAsync(kafka.Nodes.Count).ConfigureAwait(false);
        await kafka.UntilInSyncAsync().ConfigureAwait(false);
    }

    private async Task KillMasterAsync(RedisCluster redis)
    {
        RedisNode victim = await redis.MasterOfAsync(random.Next(RedisCluster.Slots)).ConfigureAwait(false);
        await victim.KillAsync().ConfigureAwait(false);
        Masters++;
        Console.WriteLine($"Redis master {victim.EndPoint} killed");
        await redis.WaitUntilOkAsync().ConfigureAwait(false);
        await Task.Delay(Away).ConfigureAwait(false);
        await victim.RestartAsync().ConfigureAwait(false);
        await redis.WaitUntilOkAsync().ConfigureAwait(false);
    }
}
