using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Other members of the worker's group.</summary>
public sealed class GroupTests(KafkaServers servers)
{
    [Theory]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Rebalance_WhilePausedByATrainerThatIsBehind_PartitionsRunOnAfterwards(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 4);
        foreach ((string name, string value) in SlowModel)
        {
            bench.Settings[name] = value;
        }

        await bench.Ledger.SendAsync(1_500);
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Log__Level", "Debug"));
        await worker.UntilLoggedAsync("Paused");
        await using (Stranger stranger = await Stranger.JoinAsync(bench, reading))
        {
            int pauses = Pauses(worker);
            await worker.UntilAsync(
                async one =>
                {
                    if (await one.MetricAsync("streaming_lag") < 500)
                    {
                        await bench.Ledger.SendAsync(1_000);
                    }

                    return Pauses(one) > pauses;
                },
                "it pauses while the stranger holds partitions"
            );
        }

        await bench.FinishAsync(worker);
    }

    [Theory]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task StaticMember_Restarted_KeepsItsPartitionsWithoutARebalance(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 4);
        bench.Settings["STREAMING__Kafka__GroupInstanceId"] = "worker-0";
        bench.Settings["STREAMING__Kafka__SessionTimeout"] = "30s";
        await using Stranger stranger = await Stranger.JoinAsync(bench, reading, "stranger-0");
        await using (WorkerProcess first = bench.StartWorker())
        {
            await Until.TrueAsync(
                () => Task.FromResult(stranger.Partitions.Length == 2),
                () => $"the stranger holds two partitions; it holds {stranger.Partitions.Length}"
            );
            await bench.Ledger.SendAsync(400);
            await first.UntilReadAsync(1);
            await first.UntilCaughtUpAsync();
            Assert.Equal(0, await first.TerminateAsync());
        }

        int[] others = stranger.Partitions;
        int rebalances = stranger.Rebalances;
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilLoggedAsync("Assigned " + bench.Events);
        await bench.Ledger.SendAsync(400);
        await bench.FinishAsync(worker, bench.Ledger.Expected(sent => !others.Contains(sent.Partition)));

        Assert.Equal(rebalances, stranger.Rebalances);
    }

    /// <summary>A worker whose steps take longer than reading waits without a pause.</summary>
    private static (string Name, string Value)[] SlowModel =>
        [
            ("STREAMING__Model__Widths", "256"),
            ("STREAMING__Model__Layers", "4"),
            ("STREAMING__Model__HistoryLength", "200"),
            ("STREAMING__Batching__BatchSize", "256"),
            ("STREAMING__Pipeline__BatchQueue", "1"),
        ];

    private static int Pauses(WorkerProcess worker) =>
        worker.Log.Split('\n').Count(static line => line.Contains("Paused", StringComparison.OrdinalIgnoreCase));
}
