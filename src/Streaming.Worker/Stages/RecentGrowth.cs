namespace Streaming.Worker.Stages;

/// <summary>Whether a counter has grown recently. One caller at a time.</summary>
/// <param name="window">How long growth counts as recent.</param>
/// <param name="time">Clock.</param>
internal sealed class RecentGrowth(TimeSpan window, TimeProvider time)
{
    private long? _count;
    private long? _grown;

    /// <summary>Updates the counter; the first value is the baseline.</summary>
    public bool Update(long count)
    {
        if (count > (_count ?? count))
        {
            _grown = time.GetTimestamp();
        }

        _count = count;
        return _grown is { } since && time.GetElapsedTime(since) < window;
    }
}
