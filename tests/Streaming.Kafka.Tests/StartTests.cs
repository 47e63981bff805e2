using System.Globalization;
using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Where a new model starts reading.</summary>
public sealed class StartTests(KafkaServers servers)
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Consumer)]
    public async Task AtATime_BeginsWithTheFirstRecordOfEachPartitionThatIsNotOlder(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading);
        await bench.Ledger.SendAsync(200, time: Now.AddHours(-2));
        bench.Ledger.Forget();
        await bench.Ledger.SendAsync(200, partition: 0, time: Now.AddHours(-1));
        await bench.Ledger.SendAsync(200, partition: 1, time: Now.AddMinutes(-30));

        // The third partition has no record that recent: reading starts at its end.
        await using WorkerProcess worker = bench.StartWorker(
            ("STREAMING__Kafka__Start", Now.AddMinutes(-90).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))
        );
        await worker.UntilReadAsync(400);
        await bench.Ledger.SendAsync(100, partition: 2);

        await bench.FinishAsync(worker);
    }

    [Fact]
    public async Task AtTheEnd_BeginsWithWhatComesAfterTheStartAlsoAfterARestart()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await bench.Ledger.SendAsync(200);
        bench.Ledger.Forget();
        bench.Settings["STREAMING__Kafka__Start"] = "latest";
        await using (WorkerProcess first = bench.StartWorker())
        {
            await first.UntilLoggedAsync("Assigned " + bench.Events);
            await first.UntilCaughtUpAsync();
            Assert.Equal(0, await first.TerminateAsync());
        }

        await bench.Ledger.SendAsync(300);
        await using WorkerProcess worker = bench.StartWorker();

        await bench.FinishAsync(worker);
    }

    [Fact]
    public async Task AtTheBeginning_ReadsAll()
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers);
        await bench.Ledger.SendAsync(300, time: Now.AddHours(-2));
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__Start", "earliest"));

        await bench.FinishAsync(worker);
    }
}
