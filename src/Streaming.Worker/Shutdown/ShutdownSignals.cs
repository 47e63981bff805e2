using System.Globalization;
using System.Runtime.InteropServices;

namespace Streaming.Worker.Shutdown;

/// <summary>
/// Turns signals into the two tokens of the pipeline: the first SIGTERM, SIGINT or SIGHUP stops (drain, publish, checkpoint), a
/// second one, or the end of the time that draining may take, aborts. Where aborting does not end the process either, because a
/// thread waits in the kernel or in foreign code, the process is ended under it.
/// </summary>
public sealed class ShutdownSignals : IDisposable
{
    /// <summary>How long an abort may take before the process is ended.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Within this time a signal is the same one again: timeout(1) and wrappers that forward signals send it to the process and to its
    /// group, and nobody asks for two things that fast.
    /// </summary>
    internal static readonly TimeSpan Echo = TimeSpan.FromMilliseconds(500);

    /// <summary>SIGUSR1 of Linux; .NET has no name for it.</summary>
    private const PosixSignal UserSignal = (PosixSignal)10;

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ITimer _timer;
    private readonly TimeSpan _limit;
    private readonly Action? _end;
    private readonly TimeProvider _time;
    private long _firstSignal;
    private int _signals;

    /// <summary>Starts to listen for signals.</summary>
    /// <param name="limit">How long draining may take.</param>
    /// <param name="time">Clock.</param>
    /// <param name="end">Ends the process when an abort has not, also after this is disposed of; null: nothing does.</param>
    /// <param name="isRank">Whether SIGUSR1 stops too: mpirun passes it to all ranks and waits for them, while after a SIGTERM it
    /// kills them.</param>
    public ShutdownSignals(TimeSpan limit, TimeProvider time, Action? end = null, bool isRank = false)
    {
        ArgumentNullException.ThrowIfNull(time);
        _limit = limit;
        _end = end;
        _time = time;
        _timer = time.CreateTimer(_ => _abort.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        PosixSignal[] signals =
        [
            PosixSignal.SIGTERM,
            PosixSignal.SIGINT,
            PosixSignal.SIGQUIT,
            .. IsHangupIgnored() ? Array.Empty<PosixSignal>() : [PosixSignal.SIGHUP],
            .. isRank ? [UserSignal] : Array.Empty<PosixSignal>(),
        ];
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>Gets the token that asks to drain and end.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Gets the token that asks to end at once.</summary>
    public CancellationToken Abort => _abort.Token;

    /// <summary>Does what a first signal does, and when called again what a second one does.</summary>
    public void Stop()
    {
        if (Interlocked.Increment(ref _signals) == 1)
        {
            EndIn(_limit + Grace);
            _timer.Change(_limit, Timeout.InfiniteTimeSpan);
            _stopping.Cancel();
        }
        else
        {
            EndIn(Grace);
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
        Signal();
    }

    /// <summary>Takes a signal of the system.</summary>
    internal void Signal()
    {
        long now = Math.Max(1, _time.GetTimestamp());
        long first = Interlocked.CompareExchange(ref _firstSignal, now, 0);
        if (first == 0 || _time.GetElapsedTime(first, now) >= Echo)
        {
            Stop();
        }
    }

    // A thread of its own: timers run on the pool, whose threads may all be waiting.
    private void EndIn(TimeSpan time)
    {
        if (_end is { } end)
        {
            new Thread(() =>
            {
                Thread.Sleep(time);
                end();
            })
            {
                IsBackground = true,
                Name = "end",
            }.Start();
        }
    }

    /// <summary>Whether whoever started this asked for hang-ups to be ignored, as nohup does: then they stay so.</summary>
    private static bool IsHangupIgnored()
    {
        const string name = "SigIgn:";
        const ulong hangup = 1; // Signal 1 is bit 0.
        return OperatingSystem.IsLinux()
            && File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith(name, StringComparison.Ordinal))
                is { } line
            && ulong.TryParse(line.AsSpan(name.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong mask)
            && (mask & hangup) != 0;
    }
}
