using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Chaos;
using Streaming.Learning.Checkpoints;
using Streaming.Serving.Lookups;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>Two workers of one model, as processes, with a shared checkpoint folder.</summary>
public sealed class TakeoverTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The leader is frozen after sending half of a write command. The other half arrives long after the standby took over: it must
    /// change nothing, and the resumed leader must notice and exit.
    /// </summary>
    [Fact]
    public async Task LeaderFrozenInMidPublish_StandbyTakesOverAndTheRevivedOnePublishesAndKeepsNothing()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using var gate = new RedisGate(bench.Redis.Port);
        string logs = bench.Folder;
        using WorkerProcess first = Start(bench, gate.Configuration, logs, "first");
        await UntilAsync(
            first,
            async () => await first.ReadAsync("streaming_events_total", default) > 500 && Tokens(bench).Length > 0,
            "the first trains and has a checkpoint"
        );
        using WorkerProcess second = Start(bench, bench.Redis.Configuration, logs, "second");
        await UntilAsync(second, async () => await LogHasAsync(logs, "second", "standing by"), "the second stands by");

        await gate.ShutAtAsync("e:faults:1:{"u8.ToArray()).WaitAsync(Limit, TestContext.Current.CancellationToken);
        await first.SignalAsync("STOP");
        long frozen = Stopwatch.GetTimestamp();
        uint old = Tokens(bench).Max();
        await UntilAsync(second, async () => await LogHasAsync(logs, "second", "Leading model"), "the second leads");
        TimeSpan takeover = Stopwatch.GetElapsedTime(frozen);
        TestContext.Current.TestOutputHelper?.WriteLine($"took over {takeover.TotalMilliseconds:F0} ms after the freeze");
        await UntilAsync(second, () => Task.FromResult(Tokens(bench).Max() > old), "the second has a checkpoint");
        string[] before = Folders(bench, old);

        await bench.EndStreamAsync();
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        await bench.UntilPublishedAsync(redis, bench.Stream.Expected, read => read.Stamp.Token > old);
        gate.Open();
        await first.SignalAsync("CONT");
        await UntilAsync(null, () => Task.FromResult(first.HasExited), "the first ends");

        Assert.Equal((int)ExitCode.LeaseLost, first.ExitCode);
        Assert.All(
            await bench.ReadAsync(redis, bench.Stream.Expected),
            read => Assert.True(read.Status == ItemStatus.Found && read.Stamp.Token > old)
        );
        Assert.Empty(Folders(bench, old).Except(before));
        Assert.True(Checkpoints(bench).FindNewest()!.Manifest.Token > old);
        await UntilQuietAsync(second);
        await second.TerminateAsync(Limit);
        string log = await ReadLogAsync(logs, "second");
        Assert.True(second.ExitCode == 0, log);
        await bench.VerifyAsync(redis, bench.Stream.Expected, log);
    }

    private static WorkerProcess Start(FaultBench bench, string redis, string logs, string name) =>
        WorkerProcess.Start(
            Path.Combine(AppContext.BaseDirectory, "streaming"),
            new Dictionary<string, string>(bench.Settings)
            {
                ["STREAMING__Redis__Configuration"] = redis,
                ["STREAMING__Checkpoint__Keep"] = "10",
            },
            Path.Combine(logs, name)
        );

    private static CheckpointStore Checkpoints(FaultBench bench) => new(bench.Checkpoints, 10, TimeProvider.System, static _ => { });

    private static uint[] Tokens(FaultBench bench) => [.. Checkpoints(bench).List().Select(Token)];

    private static string[] Folders(FaultBench bench, uint token) => [.. Checkpoints(bench).List().Where(path => Token(path) == token)];

    private static uint Token(string folder) =>
        uint.Parse(Path.GetFileName(folder).Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Waits until everything is read and then published once more.</summary>
    private static async Task UntilQuietAsync(WorkerProcess worker)
    {
        long quiet = Stopwatch.GetTimestamp();
        await UntilAsync(
            worker,
            async () =>
            {
                quiet = await worker.ReadAsync("streaming_lag", default) is 0 ? quiet : Stopwatch.GetTimestamp();
                return Stopwatch.GetElapsedTime(quiet) > TimeSpan.FromSeconds(3);
            },
            "caught up"
        );
    }

    private static async Task<bool> LogHasAsync(string logs, string name, string text) =>
        (await ReadLogAsync(logs, name)).Contains(text, StringComparison.Ordinal);

    private static async Task<string> ReadLogAsync(string logs, string name)
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(logs, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return await reader.ReadToEndAsync();
    }

    private static async Task UntilAsync(WorkerProcess? alive, Func<Task<bool>> condition, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested || alive?.HasExited == true, $"Not so: {what}.");
            await Task.Delay(20);
        }
    }
}
