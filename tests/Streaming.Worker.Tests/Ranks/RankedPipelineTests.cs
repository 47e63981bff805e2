using StackExchange.Redis;
using Streaming.Chaos;
using Streaming.Learning.Checkpoints;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Ranks;

/// <summary>The whole worker on several ranks: nothing is lost, doubled or stale, whatever becomes of the ranks.</summary>
public sealed class RankedPipelineTests
{
    private const int Partitions = 4;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Job_OfRanks_TrainsOnEveryEventOnce(int ranks)
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        await using var job = RankedJob.Start(bench, ranks);
        await bench.UntilSentAsync(3_000);
        await FinishAsync(bench, job, stopped: ranks - 1);

        // The model is one: every rank counts the same steps. Each has read a part of the events.
        long steps = job.Workers[0].Status.Trainer.Counters.Steps;
        Assert.All(job.Workers, worker => Assert.Equal(steps, worker.Status.Trainer.Counters.Steps));
        Assert.All(job.Workers, worker => Assert.InRange(worker.Status.Counts.Read, 1, job.Read - 1));
        Assert.Equal(ranks, StoreOf(bench).FindNewest()!.Manifest.Ranks);
    }

    /// <summary>3 → 2 → 1 → 4 ranks, each from the checkpoint of those before.</summary>
    [Fact]
    public async Task Job_StartedWithOtherNumbersOfRanks_LosesNothing()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        long read = 0;
        foreach (int ranks in new[] { 3, 2 })
        {
            await using var job = RankedJob.Start(bench, ranks);
            await job.UntilAsync(now => now.Read > read + 1_000, $"{ranks} ranks read on");
            await job.TerminateAsync();
            Assert.All(job.Codes, code => Assert.Equal(ExitCode.Success, code));
            read = job.Read;
        }

        await using (RunningWorker alone = bench.StartWorker())
        {
            await alone.UntilAsync(now => now.Status.Counts.Read > read + 1_000, "one worker reads on");
            Assert.Equal(ExitCode.Success, await alone.TerminateAsync());
        }

        await using var last = RankedJob.Start(bench, Partitions);
        await FinishAsync(bench, last, stopped: 1);
    }

    /// <summary>A rank dies, with it the job; the next one continues from the checkpoint of all.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Rank_Killed_TheNextJobContinues(int rank)
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        for (int life = 0; life < 2; life++)
        {
            string? before = Newest(bench);
            await using var job = RankedJob.Start(bench, 3);
            await job.UntilAsync(_ => Newest(bench) != before, "a checkpoint");
            await job.UntilAsync(now => now.Read > (life + 1) * 1_000, "events after it");
            await job.KillAsync(rank);
            Assert.Equal(ExitCode.Aborted, job.Codes[rank]);
        }

        await using var last = RankedJob.Start(bench, 3);
        await FinishAsync(bench, last, stopped: 0);
    }

    /// <summary>The store loses everything: every rank publishes its items again, also those of the ranks that did not notice.</summary>
    [Fact]
    public async Task Store_Emptied_EveryRankPublishesItsItemsAgain()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        await using var job = RankedJob.Start(bench, 3);
        await bench.UntilSentAsync(2_000);
        await job.UntilAsync(static now => now.Read > 1_000, "events");
        await bench.Redis.RestartAsync(TestContext.Current.CancellationToken);
        await FinishAsync(bench, job, stopped: 0);
    }

    /// <summary>What a single worker outlives a job outlives too.</summary>
    [Theory]
    [InlineData(Fault.CheckpointFolderGone)]
    [InlineData(Fault.DiskFull)]
    [InlineData(Fault.RedisHangs)]
    [InlineData(Fault.BrokerDown)]
    public async Task Resource_BreaksAndHeals_TheJobLosesNothing(Fault fault)
    {
        await using FaultBench bench = await FaultBench.StartAsync(fault, partitions: Partitions);
        await using var job = RankedJob.Start(bench, 2);
        await job.UntilAsync(now => now.Read > 500 && Newest(bench) is not null, "events and a checkpoint");
        await bench.BreakAsync(fault);
        if (fault is Fault.CheckpointFolderGone or Fault.DiskFull)
        {
            await job.UntilAsync(static now => now.Workers.All(HasFailed), "every rank says that there is no checkpoint");
        }
        else
        {
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        }

        await bench.HealAsync(fault);
        await FinishAsync(bench, job, stopped: 1);
    }

    [Theory]
    [InlineData(Fault.CheckpointFolderGone, ExitCode.NotKept)]
    [InlineData(Fault.BrokerDown, ExitCode.Success)]
    public async Task Job_StoppedWhileAResourceIsBroken_SaysSoAndTheNextOneLosesNothing(Fault fault, ExitCode code)
    {
        await using FaultBench bench = await FaultBench.StartAsync(fault, partitions: Partitions);
        await using (var job = RankedJob.Start(bench, 2))
        {
            await job.UntilAsync(now => now.Read > 500 && Newest(bench) is not null, "events and a checkpoint");
            await bench.BreakAsync(fault);
            await job.TerminateAsync(rank: 1);
            Assert.True(job.Codes.All(one => one == code), job.Log);
        }

        await bench.HealAsync(fault);
        await using var next = RankedJob.Start(bench, 2);
        await FinishAsync(bench, next, stopped: 0);
    }

    [Fact]
    public async Task Settings_OfOneRankDiffer_AllAreRefused()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        var other = new Dictionary<string, string>(bench.Settings, StringComparer.Ordinal) { ["STREAMING__Batching__BatchSize"] = "48" };
        await using var job = RankedJob.Start(2, rank => rank == 0 ? bench.Values : WorkerSettings.Options(other));
        await job.EndAsync();
        Assert.Contains(ExitCode.Configuration, job.Codes);
        Assert.Contains("Rank 1 has other settings than rank 0 in STREAMING__Batching__*", job.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_WithFewerPartitionsThanRanks_IsRefused()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 2);
        await using var job = RankedJob.Start(bench, 3);
        await job.EndAsync();
        Assert.Contains(ExitCode.BadInput, job.Codes);
        Assert.Contains("has 2 partitions, and 3 ranks read it", job.Log, StringComparison.Ordinal);
        Assert.Contains("Start at most 2 ranks", job.Log, StringComparison.Ordinal);
    }

    /// <summary>A second job stands by until the first one ends, and can be stopped meanwhile.</summary>
    [Fact]
    public async Task Job_WhileAnotherLeads_StandsByUntilItIsStopped()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: Partitions);
        await using var leading = RankedJob.Start(bench, 2);
        await leading.UntilAsync(static now => now.Read > 100, "events");
        var other = new Dictionary<string, string>(bench.Settings, StringComparer.Ordinal) { ["STREAMING__Pipeline__Owner"] = "other" };
        await using var standby = RankedJob.Start(2, _ => WorkerSettings.Options(other));
        await standby.UntilAsync(static now => now.Workers[0].Log.Has("tand"), "it stands by");
        await standby.TerminateAsync(rank: 1);
        Assert.All(standby.Codes, code => Assert.Equal(ExitCode.Success, code));
        Assert.Equal(0, standby.Read);
        await FinishAsync(bench, leading, stopped: 0);
    }

    private static bool HasFailed(RunningWorker worker) => worker.Log.Has("Failed to write the checkpoint");

    private static string? Newest(FaultBench bench) => StoreOf(bench).List() is [var newest, ..] ? newest : null;

    private static CheckpointStore StoreOf(FaultBench bench) => new(bench.Checkpoints, 1, TimeProvider.System, static _ => { });

    private static async Task FinishAsync(FaultBench bench, RankedJob job, int stopped)
    {
        ExpectedEffects expected = await bench.EndStreamAsync();
        await job.UntilAsync(now => now.Read >= expected.Totals.Read, $"{expected.Totals.Read} records read");
        long step = await job.Workers[0].ReadStepAsync();
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        await bench.UntilPublishedAsync(redis, expected, read => read.Stamp.Step >= step);
        await job.TerminateAsync(stopped);
        Assert.True(job.Codes.All(static code => code == ExitCode.Success), job.Log);
        Assert.DoesNotContain("No final checkpoint", job.Log, StringComparison.Ordinal);
        await bench.VerifyAsync(redis, expected, job.Log);
    }
}
