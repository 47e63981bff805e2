using Confluent.Kafka.Admin;
using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Partitions added, and leaders moved, while the worker reads.</summary>
public sealed class PartitionTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Partitions_AddedWhileRunning_AreReadFromTheirBeginning(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 2);
        await bench.Ledger.SendAsync(200);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(200);

        await bench.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = bench.Events, IncreaseTo = 5 }]);
        await bench.UntilTopicAsync(
            bench.Events,
            static topic => topic.Partitions.Count == 5 && topic.Partitions.TrueForAll(static partition => partition.Leader >= 0)
        );
        for (int partition = 0; partition < 5; partition++)
        {
            await bench.Ledger.SendAsync(100, partition);
        }

        await bench.FinishAsync(worker);
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Consumer)]
    public async Task Leaders_MovedUnderLoad_NothingIsLost(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await using WorkerProcess worker = bench.StartWorker();
        bench.Ledger.Stream(400);
        await worker.UntilReadAsync(200);

        for (int round = 0; round < 3; round++)
        {
            Assert.NotEqual(0, await bench.MoveLeadersAsync());
            await worker.UntilReadAsync(await worker.EventsAsync() + 400);
        }

        await bench.Ledger.EndStreamAsync();
        await bench.FinishAsync(worker);
    }
}
