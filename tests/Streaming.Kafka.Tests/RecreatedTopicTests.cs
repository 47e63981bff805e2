using System.Text.RegularExpressions;
using Streaming.Kafka.Tests.Bench;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>A topic that is deleted and recreated: old positions are meaningless in it, however many records it has.</summary>
public sealed partial class RecreatedTopicTests(KafkaServers servers)
{
    private const int Old = 300;

    /// <summary>The worker checks its topics once a second, and must have seen their ends.</summary>
    private static readonly TimeSpan SeveralLooks = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(100)]
    [InlineData(900)]
    public async Task WhileDown_IsRefused(int records)
    {
        await using KafkaBench bench = await ReadAndStopAsync(Reading.Static);
        await MakeAnewAsync(bench, records);
        await using WorkerProcess worker = bench.StartWorker();

        Assert.Equal(65, await worker.WaitForExitAsync());
        Assert.Contains(bench.Events, worker.Log, StringComparison.Ordinal);
        bench.Note();
    }

    [Theory]
    [InlineData(Reading.Static, 100)]
    [InlineData(Reading.Static, 900)]
    [InlineData(Reading.Classic, 900)]
    [InlineData(Reading.Consumer, 900)]
    public async Task WhileDown_IsLearnedWholeWhereMissingRecordsMayBeSkipped(Reading reading, int records)
    {
        await using KafkaBench bench = await ReadAndStopAsync(reading);
        await MakeAnewAsync(bench, records);
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__SkipMissing", "true"));

        await bench.FinishAsync(worker);
        Assert.Contains(bench.Events, worker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task WhileRunning_IsRefused(Reading reading)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 2);
        await bench.Ledger.SendAsync(Old);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(Old);
        await MakeAnewAsync(bench, 900);

        Assert.Equal(65, await worker.WaitForExitAsync());
        Assert.Contains(bench.Events, worker.Log, StringComparison.Ordinal);
        bench.Note();
    }

    [Theory]
    [InlineData(Reading.Static, 100)]
    [InlineData(Reading.Static, 900)]
    [InlineData(Reading.Classic, 900)]
    [InlineData(Reading.Consumer, 100)]
    [InlineData(Reading.Consumer, 900)]
    public async Task WhileRunning_IsLearnedWholeWhereMissingRecordsMayBeSkipped(Reading reading, int records)
    {
        await using KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 2);
        bench.Settings["STREAMING__Checkpoint__Keep"] = "1000";
        await bench.Ledger.SendAsync(Old);
        var old = new HashSet<object>(bench.Ledger.Records, ReferenceEqualityComparer.Instance);
        await using WorkerProcess worker = bench.StartWorker(("STREAMING__Kafka__SkipMissing", "true"));
        await worker.UntilReadAsync(Old);
        await Task.Delay(SeveralLooks, TestContext.Current.CancellationToken);
        await MakeAnewAsync(bench, records);
        await worker.UntilReadAsync(Old + records);
        await bench.Ledger.SendAsync(100);

        // The worker returns to its newest checkpoint: what it has read of the old topic since then is gone, and must be counted.
        long[] kept = bench.PositionsOf(CheckpointOf(worker));
        bool IsGone(SentEvent sent) => old.Contains(sent) && sent.Offset >= kept[sent.Partition];
        await bench.FinishAsync(worker, bench.Ledger.Expected(sent => !IsGone(sent)), bench.Ledger.Records.Count(IsGone));
    }

    /// <summary>Returns the checkpoint from which a worker resumed.</summary>
    private static string CheckpointOf(WorkerProcess worker) =>
        CheckpointPath()
            .Match(
                worker
                    .Log.Split('\n')
                    .Last(static line =>
                        line.Contains("/checkpoint-", StringComparison.Ordinal) && !line.Contains("written", StringComparison.Ordinal)
                    )
            )
            .Value;

    private async Task<KafkaBench> ReadAndStopAsync(Reading reading)
    {
        KafkaBench bench = await KafkaBench.StartAsync(servers, reading, partitions: 2);
        await bench.Ledger.SendAsync(Old);
        await using WorkerProcess first = bench.StartWorker();
        await first.UntilReadAsync(Old);
        Assert.Equal(0, await first.TerminateAsync());
        return bench;
    }

    private static async Task MakeAnewAsync(KafkaBench bench, int records)
    {
        await bench.DeleteAsync(bench.Events);
        await bench.CreateAsync(bench.Events, 2);
        await bench.Ledger.SendAsync(records / 2, partition: 0);
        await bench.Ledger.SendAsync(records / 2, partition: 1);
    }

    [GeneratedRegex(@"\S+/checkpoint-\d+-\d+")]
    private static partial Regex CheckpointPath();
}
