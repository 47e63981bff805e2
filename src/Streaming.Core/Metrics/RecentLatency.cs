namespace Streaming.Core.Metrics;

/// <summary>Durations of the last while: what an alert needs, which must clear when things are well again. Two histograms take turns, so
/// the window is between one and two halves long.</summary>
/// <remarks>Safe from any thread. A duration that comes just as the halves change may be counted in either.</remarks>
/// <param name="half">Length of a half.</param>
/// <param name="time">Clock.</param>
public sealed class RecentLatency(TimeSpan half, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LatencyHistogram[] _halves = [new(), new()];
    private long _begun = time.GetTimestamp();
    private int _current;

    /// <summary>Gets the number of durations in the window.</summary>
    public long Count
    {
        get
        {
            Turn();
            return _halves[0].Count + _halves[1].Count;
        }
    }

    /// <summary>Records a duration.</summary>
    public void Record(TimeSpan duration)
    {
        Turn();
        _halves[Volatile.Read(ref _current)].Record(duration);
    }

    /// <summary>Computes a quantile of the window, in milliseconds; 0 when nothing was recorded.</summary>
    /// <param name="quantile">0 … 1; 0.5 is the median.</param>
    public double Quantile(double quantile)
    {
        Turn();
        return LatencyHistogram.Quantile(quantile, _halves);
    }

    private void Turn()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _begun)) < half)
        {
            return;
        }

        lock (_gate)
        {
            TimeSpan elapsed = time.GetElapsedTime(_begun);
            if (elapsed < half)
            {
                return;
            }

            if (elapsed >= 2 * half)
            {
                _halves[_current].Reset();
            }

            int next = 1 - _current;
            _halves[next].Reset();
            Volatile.Write(ref _current, next);
            Volatile.Write(ref _begun, time.GetTimestamp());
        }
    }
}
