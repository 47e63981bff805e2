using Confluent.Kafka.Admin;
using Streaming.Kafka.Tests.Bench;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Brokers that crash, freeze and restart, under load.</summary>
[Collection(BrokerFaults.Name)]
public sealed class BrokerFaultTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Broker_Killed_NothingIsLost(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await UnderLoadAsync(
            bench,
            async worker =>
            {
                // For a group, its coordinator, which leads a partition too.
                KafkaNode node = bench.Cluster.Nodes[
                    reading == Reading.Static ? bench.Cluster.LeaderOf(bench.Events, 0) : bench.CoordinatorOf(bench.Group)
                ];
                await node.KillAsync();
                await worker.UntilReadAsync(await worker.EventsAsync() + 800);
                node.Start();
                await bench.Cluster.UntilBrokersAsync(3);
                await bench.Cluster.UntilInSyncAsync();
            }
        );
    }

    [Fact]
    public async Task Broker_Frozen_NothingIsLost()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, Reading.Consumer);
        await UnderLoadAsync(
            bench,
            async worker =>
            {
                KafkaNode node = bench.Cluster.Nodes[bench.Cluster.LeaderOf(bench.Events, 0)];
                node.Signal(UnixSignal.Stop);
                await worker.UntilReadAsync(await worker.EventsAsync() + 800);
                node.Signal(UnixSignal.Continue);
                await bench.Cluster.UntilBrokersAsync(3);
                await bench.Cluster.UntilInSyncAsync();
            }
        );
    }

    [Theory]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Brokers_RestartedOneAfterTheOther_NothingIsLost(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await UnderLoadAsync(
            bench,
            async worker =>
            {
                foreach (KafkaNode node in bench.Cluster.Nodes)
                {
                    await node.TerminateAsync(TestContext.Current.CancellationToken);
                    node.Start();
                    await bench.Cluster.UntilBrokersAsync(3);
                    await bench.Cluster.UntilInSyncAsync();
                }
            }
        );
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Brokers_AllDownAndBack_HealthSaysSoAndNothingIsLost(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await UnderLoadAsync(
            bench,
            async worker =>
            {
                foreach (KafkaNode node in bench.Cluster.Nodes)
                {
                    await node.KillAsync();
                }

                await worker.UntilUnwellAsync();
                bench.Cluster.StartNodes();
                await bench.Cluster.UntilBrokersAsync(3);
                await bench.Cluster.UntilInSyncAsync();
            }
        );
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Consumer)]
    public async Task Partition_WithoutALeader_HealthSaysSoWhileItIsSo(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 0);
        await bench.Admin.CreateTopicsAsync([
            new TopicSpecification
            {
                Name = bench.Events,
                NumPartitions = 2,
                ReplicasAssignments = new() { [0] = [0], [1] = [1] },
                Configs = new() { ["min.insync.replicas"] = "1" },
            },
        ]);
        await bench.UntilTopicAsync(bench.Events, static topic => topic.Partitions.Count == 2);
        await bench.Ledger.SendAsync(300);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(300);

        await bench.Cluster.Nodes[1].KillAsync();
        await worker.UntilUnwellAsync(bench.Events, "leader");
        await bench.Ledger.SendAsync(100, partition: 0);
        await worker.UntilReadAsync(400);
        bench.Cluster.Nodes[1].Start();
        await bench.Cluster.UntilBrokersAsync(3);
        await bench.Cluster.UntilInSyncAsync();
        await worker.UntilWellAsync();
        await bench.Ledger.SendAsync(100, partition: 1);

        await bench.FinishAsync(worker);
    }

    /// <summary>Disturbs the brokers while events are produced and read; afterwards reading continues, and health is healthy.</summary>
    private static async Task UnderLoadAsync(KafkaBench bench, Func<WorkerProcess, Task> disturb)
    {
        await using WorkerProcess worker = bench.StartWorker();
        bench.Ledger.Stream(400);
        await worker.UntilReadAsync(200);

        await disturb(worker);
        await worker.UntilReadAsync(await worker.EventsAsync() + 400);
        await worker.UntilWellAsync();

        await bench.Ledger.EndStreamAsync();
        await bench.FinishAsync(worker);
    }
}
