using Streaming.Learning.Checkpoints;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>The system clock is set under load. Leases, schedules and limits use the time since startup.</summary>
public sealed class ClockTests
{
    [Theory]
    [InlineData(-3 * 3600)]
    [InlineData(9 * 24 * 3600)]
    public async Task ClockLeapsAndIsSetRight_TrainsPublishesAndKeepsOnScheduleAndLosesNothing(int seconds)
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");
        foreach (int offset in (int[])[seconds, 0])
        {
            bench.Time.Offset = TimeSpan.FromSeconds(offset);
            long trained = worker.Status.Counts.Trained;
            long written = worker.Status.Published!.Written;
            string newest = Newest(bench);
            await worker.UntilAsync(w => w.Status.Counts.Trained > trained + 500, "trains on");
            await worker.UntilAsync(w => w.Status.Published!.Written > written + 200, "publishes on");
            await worker.UntilAsync(_ => string.CompareOrdinal(Newest(bench), newest) > 0, "keeps checkpoints on");
        }

        // Current events are neither in the future nor late: only those that the stream planted become dead letters.
        await bench.FinishAsync(worker);
        Assert.Equal(1, worker.Log.Count("Leading model"));
    }

    [Fact]
    public async Task SigtermWhileTheClockIsWrong_ExitsZeroInTimeAndTheNextOneLosesNothing()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using (RunningWorker worker = bench.StartWorker())
        {
            await worker.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");
            bench.Time.Offset = TimeSpan.FromDays(-400);
            Assert.True(await worker.TerminateAsync() == ExitCode.Success, worker.Log.Text);
        }

        // Checkpoints are ordered by token and number, not by date.
        bench.Time.Offset = TimeSpan.FromDays(400);
        await using RunningWorker next = bench.StartWorker();
        await bench.FinishAsync(next);
    }

    private static string Newest(FaultBench bench) =>
        new CheckpointStore(bench.Checkpoints, 3, TimeProvider.System, static _ => { }).List() is [var newest, ..] ? newest : string.Empty;
}
