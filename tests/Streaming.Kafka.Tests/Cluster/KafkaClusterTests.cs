using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Streaming.Kafka.Tests.Bench;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests.Cluster;

/// <summary>The test cluster itself, on which every other case depends.</summary>
[Collection(BrokerFaults.Name)]
public sealed class KafkaClusterTests(KafkaServers servers)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cluster_NodeKilled_LeadersMoveAndItComesBack(bool secure)
    {
        KafkaCluster cluster = await (secure ? servers.Secure : servers.Plain);
        string topic = servers.NextName();
        using IAdminClient admin = cluster.CreateAdmin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1 }]);
        await cluster.UntilInSyncAsync();
        int leader = cluster.LeaderOf(topic, 0);

        await cluster.Nodes[leader].KillAsync();
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(
            new ProducerConfig(cluster.Client) { Acks = Acks.All }
        ).Build();
        DeliveryResult<Null, string> sent = await producer.ProduceAsync(
            topic,
            new Message<Null, string> { Value = "x" },
            TestContext.Current.CancellationToken
        );
        int next = cluster.LeaderOf(topic, 0);
        cluster.Nodes[leader].Start();
        await cluster.UntilBrokersAsync(3);
        await cluster.UntilInSyncAsync();

        Assert.Equal(PersistenceStatus.Persisted, sent.Status);
        Assert.NotEqual(leader, next);
    }
}
