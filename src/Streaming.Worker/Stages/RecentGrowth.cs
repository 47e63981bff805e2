namespace Streaming.Worker.Stages;

/// <summary>Whether a counter has grown lately: what has happened is news for a while, and then no more. One caller at a time.</summary>
/// <param name="window">How long it is news.</param>
/// <param name="time">Clock.</param>
internal sealed class RecentGrowth(TimeSpan window, TimeProvider time)
{
    private long? _count;
    private long? _grown;

    /// <summary>Takes the counter in; its first value is where it starts.</summary>
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
