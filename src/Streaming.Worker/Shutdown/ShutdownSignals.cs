using System.Runtime.InteropServices;

namespace Streaming.Worker.Shutdown;

/// <summary>
/// Turns signals into the two tokens of the pipeline: the first SIGTERM or SIGINT stops (drain, publish, checkpoint), a
/// second one, or the end of the time that draining may take, aborts.
/// </summary>
public sealed class ShutdownSignals : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ITimer _timer;
    private readonly TimeSpan _limit;
    private int _signals;

    /// <summary>Starts to listen for signals.</summary>
    /// <param name="limit">How long draining may take.</param>
    /// <param name="time">Clock.</param>
    public ShutdownSignals(TimeSpan limit, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _limit = limit;
        _timer = time.CreateTimer(_ => _abort.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, OnSignal),
        ];
    }

    /// <summary>Gets the token that asks to drain and end.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Gets the token that asks to end at once.</summary>
    public CancellationToken Abort => _abort.Token;

    /// <summary>Does what a signal does.</summary>
    public void Stop()
    {
        if (Interlocked.Increment(ref _signals) == 1)
        {
            _timer.Change(_limit, Timeout.InfiniteTimeSpan);
            _stopping.Cancel();
        }
        else
        {
            EndAtOnce();
        }
    }

    /// <summary>Does what a second signal does, and leaves a first one no time to begin draining.</summary>
    public void EndAtOnce()
    {
        _abort.Cancel();
        _stopping.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _timer.Dispose();
        _stopping.Dispose();
        _abort.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // Without this the runtime would end the process as soon as the handlers return.
        context.Cancel = true;
        Stop();
    }
}
