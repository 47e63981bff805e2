using Streaming.Kafka.Tests.Bench;
using Xunit;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(KafkaServers))]
[assembly: Parallelization(MaxThreads = 3)]

namespace Streaming.Kafka.Tests;

/// <summary>Cases that kill brokers have the shared cluster to themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BrokerFaults
{
    public const string Name = "broker faults";
}
