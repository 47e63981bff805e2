using System.Diagnostics;
using Streaming.Worker.Shutdown;
using Xunit;

namespace Streaming.Worker.Tests.Shutdown;

public class ShutdownSignalsTests
{
    [Fact]
    public void Stop_Once_DrainsAndTwice_Aborts()
    {
        using var signals = new ShutdownSignals(TimeSpan.FromMinutes(1), TimeProvider.System);
        Assert.False(signals.Stopping.IsCancellationRequested);

        signals.Stop();
        Assert.True(signals.Stopping.IsCancellationRequested);
        Assert.False(signals.Abort.IsCancellationRequested);

        signals.Stop();
        Assert.True(signals.Abort.IsCancellationRequested);
    }

    [Fact]
    public void Signal_SentTwiceAtOnce_IsOneAndALaterOneIsTheSecond()
    {
        var time = new SteppedTime();
        using var signals = new ShutdownSignals(TimeSpan.FromMinutes(1), time);
        signals.Signal();
        signals.Signal();
        time.Now += ShutdownSignals.Echo - TimeSpan.FromMilliseconds(1);
        signals.Signal();
        Assert.True(signals.Stopping.IsCancellationRequested);
        Assert.False(signals.Abort.IsCancellationRequested);

        time.Now += TimeSpan.FromMilliseconds(1);
        signals.Signal();
        Assert.True(signals.Abort.IsCancellationRequested);
    }

    [Fact]
    public async Task Run_UnderTimeout_IsAskedOnce()
    {
        var information = new ProcessStartInfo("timeout") { RedirectStandardError = true, RedirectStandardOutput = true };
        information.Environment["STREAMING__Redis__Configuration"] = "127.0.0.1:9";
        information.Environment["STREAMING__Http__Port"] = "0";
        foreach (string argument in new[] { "--preserve-status", "8", Path.Combine(AppContext.BaseDirectory, "streaming"), "serve" })
        {
            information.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(information)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) + await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, said);
        Assert.Contains("Health and metrics at", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_DrainingTakesTooLong_Aborts()
    {
        using var signals = new ShutdownSignals(TimeSpan.FromMilliseconds(10), TimeProvider.System);

        signals.Stop();

        var aborted = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = signals.Abort.Register(aborted.SetResult);
        await AssertCompletesAsync(aborted.Task);
    }

    [Fact]
    public async Task Stop_NothingEndsTheProcess_ItIsEndedAfterTheLimitAlsoWhenDisposed()
    {
        var ended = new TaskCompletionSource();
        using (var signals = new ShutdownSignals(TimeSpan.FromMilliseconds(10), TimeProvider.System, () => ended.TrySetResult()))
        {
            signals.Stop();
        }

        await AssertCompletesAsync(ended.Task);
    }

    [Fact]
    public async Task Stop_Twice_TheProcessIsEndedThoughDrainingHasAnHour()
    {
        var ended = new TaskCompletionSource();
        using var signals = new ShutdownSignals(TimeSpan.FromHours(1), TimeProvider.System, () => ended.TrySetResult());

        signals.Stop();
        signals.Stop();

        await AssertCompletesAsync(ended.Task);
    }

    private static async Task AssertCompletesAsync(Task task) =>
        Assert.Same(task, await Task.WhenAny(task, Task.Delay(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken)));

    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
