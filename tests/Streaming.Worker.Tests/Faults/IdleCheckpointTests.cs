using Streaming.Chaos;
using Streaming.Learning.Checkpoints;
using Streaming.Transport.Kafka;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>A stream that stops: its end is still checkpointed.</summary>
public sealed class IdleCheckpointTests
{
    [Fact]
    public async Task BurstEnds_NewestCheckpointHoldsAllOfItWithoutAStop()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await bench.UntilSentAsync(500);
        ExpectedEffects expected = await bench.EndStreamAsync();

        await worker.UntilAsync(_ => PositionSum(bench) == expected.Totals.Read, $"a checkpoint holds all {expected.Totals.Read} records");
        Assert.Equal(ExitCode.Aborted, await worker.AbortAsync());
        Assert.Equal(expected.Totals.Read, PositionSum(bench));
    }

    [Fact]
    public async Task NothingChanges_NoFurtherCheckpointIsWritten()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await bench.UntilSentAsync(500);
        ExpectedEffects expected = await bench.EndStreamAsync();
        await worker.UntilAsync(_ => PositionSum(bench) == expected.Totals.Read, "a checkpoint holds everything");

        // One more may have been requested before the last batch; then none for four intervals.
        string[] before = [];
        for (int i = 0; i < 5 && !before.SequenceEqual(Directory.GetDirectories(bench.Checkpoints)); i++)
        {
            before = Directory.GetDirectories(bench.Checkpoints);
            await Task.Delay(bench.Values.Checkpoint.Interval * 4, TestContext.Current.CancellationToken);
        }

        Assert.Equal(before, Directory.GetDirectories(bench.Checkpoints));
    }

    [Fact]
    public async Task DeadLettersAlone_AreInACheckpointWithoutAStop()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 1);
        await using RunningWorker worker = bench.StartWorker();
        await bench.UntilSentAsync(100);
        long sent = (await bench.EndStreamAsync()).Totals.Read;
        await worker.UntilAsync(_ => PositionSum(bench) == sent, "a checkpoint holds the events");
        using EventProducer producer = new(bench.Values.Kafka);
        producer.Send(
            new Contracts.Interaction
            {
                UserId = "u",
                ItemId = "i",
                Type = "unheard-of",
                EventTimeMs = 1_700_000_000_000,
                EventId = "dead",
            }
        );
        producer.Flush(TestContext.Current.CancellationToken);

        await worker.UntilAsync(_ => PositionSum(bench) == sent + 1, "a checkpoint holds the dead letter's position");
        Assert.Equal(ExitCode.Aborted, await worker.AbortAsync());
    }

    [Fact]
    public async Task CatalogueAlone_IsInACheckpointWithoutAStop()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 1, partitions: 1);
        bench.Broker.CreateTopic("items", 1);
        bench.Settings["STREAMING__Kafka__ItemsTopic"] = "items";
        await using RunningWorker worker = bench.StartWorker();
        long sent = (await bench.EndStreamAsync()).Totals.Read;
        await worker.UntilAsync(_ => PositionSum(bench) == sent, "a checkpoint holds the events");
        using EventProducer producer = new(bench.Values.Kafka);
        producer.Send(new Contracts.Item { ItemId = "new" });
        producer.Flush(TestContext.Current.CancellationToken);

        await worker.UntilAsync(_ => PositionSum(bench) == sent + 1, "a checkpoint holds the record's position");
        Assert.Equal(ExitCode.Aborted, await worker.AbortAsync());
    }

    [Fact]
    public async Task HistoriesAlone_AreInACheckpointWithoutAStop()
    {
        await using FaultBench bench = await FaultBench.StartAsync(rate: 1, partitions: 1);
        await using RunningWorker worker = bench.StartWorker();
        long sent = (await bench.EndStreamAsync()).Totals.Read;
        await worker.UntilAsync(_ => PositionSum(bench) == sent, "a checkpoint holds the events");
        using EventProducer producer = new(bench.Values.Kafka);
        producer.Send(
            new Contracts.Interaction
            {
                UserId = "u",
                ItemId = "i",
                Type = EventStream.SilentType,
                EventTimeMs = 1_700_000_000_000,
                EventId = "silent",
            }
        );
        producer.Flush(TestContext.Current.CancellationToken);

        await worker.UntilAsync(_ => PositionSum(bench) == sent + 1, "a checkpoint holds the event's position");
        Assert.Equal(ExitCode.Aborted, await worker.AbortAsync());
    }

    [Fact]
    public async Task BurstEnds_FiguresAreOfItsEnd()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await bench.UntilSentAsync(1_000);
        ExpectedEffects expected = await bench.EndStreamAsync();
        await worker.UntilAsync(w => w.Status.Counts.Read >= expected.Totals.Read, "all is read");
        await worker.UntilAsync(
            w => w.Status.Trainer.Counters.EventsTrained == w.Status.Counts.Trained,
            "the picture of the trainer is of its last batch, though none follows"
        );
    }

    private static long PositionSum(FaultBench bench) =>
        Directory.Exists(bench.Checkpoints)
        && new CheckpointStore(bench.Checkpoints, 3, TimeProvider.System, static _ => { }).FindNewest() is { } newest
            ? newest.Manifest.Positions.Sum(static position => position.NextOffset)
            : 0;
}
