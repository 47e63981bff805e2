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
}
