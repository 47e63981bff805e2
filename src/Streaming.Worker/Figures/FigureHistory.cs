using Streaming.Worker.Metrics;

namespace Streaming.Worker.Figures;

/// <summary>
/// The figures of the last quarter of an hour by second and of the last day by minute, so that a page opened late shows the past.
/// Bounded: about a megabyte. Thread-safe.
/// </summary>
/// <param name="status">Returns the pipeline's status; null or empty before there is one, of which no sample is kept.</param>
/// <param name="time">Clock.</param>
public sealed class FigureHistory(Func<PipelineStatus?> status, TimeProvider time)
{
    /// <summary>Samples kept by second.</summary>
    public const int Seconds = 15 * 60;

    /// <summary>Samples kept by minute.</summary>
    public const int Minutes = 24 * 60;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SampleRing _seconds = new(Seconds);
    private readonly SampleRing _minutes = new(Minutes);
    private FigureSample? _minute;

    /// <summary>Takes a sample each second until the result is disposed.</summary>
    public IDisposable Start() => time.CreateTimer(_ => Take(), null, Interval, Interval);

    /// <summary>The samples by second that were taken after a time, oldest first.</summary>
    public IReadOnlyList<FigureSample> BySecond(DateTimeOffset after)
    {
        lock (_gate)
        {
            return _seconds.After(after);
        }
    }

    /// <summary>
    /// The samples by minute that were taken after a time, oldest first, without the minute that is not over: the values at its end, and
    /// the worst lag and freshness within it.
    /// </summary>
    public IReadOnlyList<FigureSample> ByMinute(DateTimeOffset after)
    {
        lock (_gate)
        {
            return _minutes.After(after);
        }
    }

    /// <summary>Takes a sample.</summary>
    internal void Take()
    {
        lock (_gate)
        {
            if (status() is not { } now || ReferenceEquals(now, PipelineStatus.Empty))
            {
                return;
            }

            // To the millisecond, as callers name a time: none must come twice.
            var sample = FigureSample.Of(now, DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()));
            _seconds.Add(sample);
            bool sameMinute = _minute is not null && Minute(_minute) == Minute(sample);
            if (_minute is not null && !sameMinute)
            {
                _minutes.Add(_minute);
            }

            _minute = sameMinute ? sample.WithWorstOf(_minute!) : sample;
        }
    }

    private static long Minute(FigureSample sample) => sample.At.ToUnixTimeSeconds() / 60;
}
