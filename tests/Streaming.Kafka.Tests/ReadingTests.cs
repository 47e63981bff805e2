using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>A worker that reads a real cluster without faults.</summary>
public sealed class ReadingTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Events_OfEveryPartition_HaveTheirEffectOnce(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await bench.Ledger.SendAsync(500);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(500);
        await bench.Ledger.SendAsync(500);

        await bench.FinishAsync(worker);
    }
}
