using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>The cluster itself: what every other case rests on.</summary>
public class KafkaClusterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cluster_NodeKilled_LeadersMoveAndItComesBack(bool secure)
    {
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(secure: secure);
        using IAdminClient admin = cluster.CreateAdmin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = "t", NumPartitions = 1 }]);
        await cluster.UntilInSyncAsync();
        int leader = cluster.LeaderOf("t", 0);

        await cluster.Nodes[leader].KillAsync();
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(new ProducerConfig(cluster.Client) { Acks = Acks.All }).Build();
        DeliveryResult<Null, string> sent = await producer.ProduceAsync("t", new Message<Null, string> { Value = "x" }, TestContext.Current.CancellationToken);
        int next = cluster.LeaderOf("t", 0);
        cluster.Nodes[leader].Start();
        await cluster.UntilBrokersAsync(3);
        await cluster.UntilInSyncAsync();

        Assert.Equal(PersistenceStatus.Persisted, sent.Status);
        Assert.NotEqual(leader, next);
    }
}
