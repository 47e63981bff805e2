namespace Streaming.Transport.Redis.Publishing;

/// <summary>Lets what repeats into the log once a minute. Thread-safe.</summary>
/// <param name="time">Clock.</param>
internal sealed class OncePerMinute(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private long? _last;

    /// <summary>Whether it is the first time, or a minute since it was last due.</summary>
    public bool IsDue()
    {
        lock (_gate)
        {
            if (_last is { } last && time.GetElapsedTime(last) < Interval)
            {
                return false;
            }

            _last = time.GetTimestamp();
            return true;
        }
    }
}
