namespace Streaming.Worker.Stages;

/// <summary>
/// When what events changed is handed to the publisher: every interval. While batches wait for the trainer, or earlier changes for the
/// store, once a second: a part that is behind gets fewer, larger hand-overs, and what changes again meanwhile is written once.
/// </summary>
/// <param name="interval">The interval while nothing is behind.</param>
/// <param name="time">Clock.</param>
internal sealed class PublishPace(TimeSpan interval, TimeProvider time)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);
    private long _last = time.GetTimestamp();

    /// <summary>Gets the interval while something is behind, and while nothing has changed.</summary>
    private TimeSpan Longest => interval > LongestInterval ? interval : LongestInterval;

    /// <summary>Starts the next interval.</summary>
    public void Restart() => _last = time.GetTimestamp();

    /// <summary>Whether a hand-over is due.</summary>
    /// <param name="hasChanges">Whether there is something to hand over.</param>
    /// <param name="isBehind">Whether batches wait for the trainer, or changes for the store.</param>
    public bool IsDue(bool hasChanges, bool isBehind) => time.GetElapsedTime(_last) >= (hasChanges && !isBehind ? interval : Longest);

    /// <summary>How long to wait at most before asking again.</summary>
    /// <param name="hasChanges">Whether there is something to hand over.</param>
    public TimeSpan Wait(bool hasChanges)
    {
        TimeSpan left = (hasChanges ? interval : Longest) - time.GetElapsedTime(_last);
        return left > TimeSpan.Zero ? left : interval;
    }
}
