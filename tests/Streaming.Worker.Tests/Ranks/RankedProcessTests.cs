using System.Globalization;
using StackExchange.Redis;
using Streaming.Chaos;
using Streaming.Worker.Failures;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Ranks;

/// <summary>Jobs of processes under Open MPI, as deploy/ranks.sh starts them.</summary>
public sealed class RankedProcessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Job_Terminated_DrainsAndLosesNothing()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 4, rate: 500);
        using WorkerProcess job = Start(bench, 2);
        await UntilAsync(job, bench, async () => await job.ReadAsync("streaming_events_total", default) > 1_000);
        ExpectedEffects expected = await bench.EndStreamAsync();
        await CatchUp.WaitAsync(job, Limit);
        await job.TerminateAsync(Limit);

        string log = await LogAsync(bench);
        Assert.True(job.ExitCode == 0, log);
        Assert.Contains(" INF rank 0: One of 2 ranks: reads partitions 0 + 2 n, stores item rows 0 + 2 n", log, StringComparison.Ordinal);
        Assert.Contains(" INF rank 1: One of 2 ranks: reads partitions 1 + 2 n, stores item rows 1 + 2 n", log, StringComparison.Ordinal);
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        await bench.VerifyAsync(redis, expected, log);
    }

    /// <summary>No launcher notices a frozen process, and the others would wait for it for ever.</summary>
    [Fact]
    public async Task Rank_Frozen_TheJobEndsAndNamesIt()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 4, rate: 500);
        bench.Settings["STREAMING__Ranks__Timeout"] = "5s";
        using WorkerProcess job = Start(bench, 2);
        await UntilAsync(job, bench, async () => await job.ReadAsync("streaming_events_total", default) > 500);
        int frozen = job.Job.Ranks[1];
        await WorkerProcess.SignalAsync(frozen, "STOP");
        await job.EndAsync(Limit);

        string log = await LogAsync(bench);
        Assert.True(job.ExitCode == (int)ExitCode.Unavailable, log);
        string process = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}:{frozen}");
        Assert.Contains("has waited 5 s (STREAMING__Ranks__Timeout) for rank ", log, StringComparison.Ordinal);
        Assert.Contains($"({process}), which does not answer; ending the job", log, StringComparison.Ordinal);
    }

    /// <summary>The job waits for the lease of another worker, perhaps for days: what is frozen meanwhile would never begin.</summary>
    [Fact]
    public async Task Rank_FrozenWhileTheJobStandsBy_TheJobEndsAndNamesIt()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 4, rate: 500);
        await using RunningWorker leading = bench.StartWorker();
        await leading.UntilAsync(static now => now.Status.Counts.Read > 100, "the other worker leads");
        bench.Settings["STREAMING__Ranks__Timeout"] = "5s";
        bench.Settings["STREAMING__Pipeline__Owner"] = "standby";
        using WorkerProcess job = Start(bench, 2);
        await UntilAsync(job, bench, async () => (await LogAsync(bench)).Contains("tanding by", StringComparison.Ordinal));
        int frozen = job.Job.Ranks[1];
        await WorkerProcess.SignalAsync(frozen, "STOP");
        await job.EndAsync(Limit);

        string log = await LogAsync(bench);
        Assert.True(job.ExitCode == (int)ExitCode.Unavailable, log);
        Assert.Contains("has waited 5 s (STREAMING__Ranks__Timeout) for rank 1", log, StringComparison.Ordinal);
        Assert.Contains("which does not answer; ending the job", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Engine_OfTorch_IsRefused()
    {
        await using FaultBench bench = await FaultBench.StartAsync(partitions: 4);
        bench.Settings["STREAMING__Training__Engine"] = "Torch";
        using WorkerProcess job = Start(bench, 2);
        await job.EndAsync(Limit);

        string log = await LogAsync(bench);
        Assert.True(job.ExitCode == (int)ExitCode.Configuration, log);
        Assert.Contains("STREAMING__Training__Engine is Torch, and 2 ranks were started; allowed: Cpu", log, StringComparison.Ordinal);
    }

    private static WorkerProcess Start(FaultBench bench, int ranks)
    {
        var settings = new Dictionary<string, string>(bench.Settings) { ["STREAMING__Pipeline__ShutdownTimeout"] = "30s" };
        return WorkerProcess.Start(Path.Combine(AppContext.BaseDirectory, "streaming"), settings, LogOf(bench), ranks: ranks);
    }

    private static string LogOf(FaultBench bench) => Path.Combine(bench.Folder, "job.log");

    private static async Task<string> LogAsync(FaultBench bench)
    {
        await using var file = new FileStream(LogOf(bench), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync();
    }

    private static async Task UntilAsync(WorkerProcess job, FaultBench bench, Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!await condition())
        {
            Assert.False(job.HasExited || limit.IsCancellationRequested, await LogAsync(bench));
            await Task.Delay(50, CancellationToken.None);
        }
    }
}
