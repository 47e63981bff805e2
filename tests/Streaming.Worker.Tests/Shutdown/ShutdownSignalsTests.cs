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
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
