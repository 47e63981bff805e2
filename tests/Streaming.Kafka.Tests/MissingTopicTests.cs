using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Missing topics: a worker waits for them, and its health names them.</summary>
public sealed class MissingTopicTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Events_MissingAtTheStart_HealthSaysSoUntilTheyAreThere(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 0);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilUnwellAsync(bench.Events);
        await worker.UntilLoggedAsync(bench.Events);

        await bench.CreateAsync(bench.Events, 2);
        await bench.Ledger.SendAsync(300);
        await worker.UntilWellAsync();

        await bench.FinishAsync(worker);
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Events_DeletedWhileRunning_HealthAndLogSaySo(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await bench.Ledger.SendAsync(300);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(300);
        await worker.UntilWellAsync();

        await bench.DeleteAsync(bench.Events);
        await worker.UntilUnwellAsync(bench.Events);

        Assert.Equal(0, await worker.TerminateAsync());
        Assert.Contains("WRN", worker.Log, StringComparison.Ordinal);
        await bench.VerifyAsync(worker, bench.Ledger.Expected());
    }

    [Fact]
    public async Task Catalogue_MissingAtTheStart_HealthSaysSoUntilItIsThere()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        bench.Settings["STREAMING__Kafka__ItemsTopic"] = bench.Items;
        await bench.Ledger.SendAsync(300);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilUnwellAsync(bench.Items);

        await bench.CreateItemsAsync();
        await worker.UntilWellAsync();

        await bench.FinishAsync(worker);
    }

    [Fact]
    public async Task DeadLetters_WithoutATopic_HealthSaysSoUntilItIsThere()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await bench.DeleteAsync(bench.DeadLetters);
        await using WorkerProcess worker = bench.StartWorker();
        await bench.Ledger.SendAsync(300);
        await worker.UntilUnwellAsync(bench.DeadLetters);

        await bench.CreateAsync(bench.DeadLetters, 1);
        await worker.UntilWellAsync();

        await bench.FinishAsync(worker);
    }
}
