using Confluent.Kafka;
using Streaming.Lab.Embedded;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class EmbeddedBrokerTests
{
    [Fact]
    public void CreateTopic_Partitions_AreSeenByAClient()
    {
        using EmbeddedBroker broker = new(brokers: 2);
        broker.CreateTopic("t", 7);
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        Metadata metadata = admin.GetMetadata("t", TimeSpan.FromSeconds(20));
        Assert.Equal(2, metadata.Brokers.Count);
        Assert.Equal(7, metadata.Topics.Single().Partitions.Count);
    }

    [Fact]
    public void CreateTopic_Twice_SaysWhatWentWrong()
    {
        using EmbeddedBroker broker = new();
        broker.CreateTopic("t", 1);
        Assert.Contains(
            "create topic 't'",
            Assert.Throws<InvalidOperationException>(() => broker.CreateTopic("t", 1)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Dispose_Twice_IsHarmlessAndEndsTheBroker()
    {
        EmbeddedBroker broker = new();
        broker.Dispose();
        broker.Dispose();
        Assert.Throws<ObjectDisposedException>(() => broker.CreateTopic("t", 1));
        Assert.Throws<ObjectDisposedException>(() => broker.SetDown());
    }
}
