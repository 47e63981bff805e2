namespace Streaming.Worker.Stages;

/// <summary>
/// When what events changed is handed to the publisher: every interval, but so rarely that handing over takes at most a tenth of the time.
/// While earlier changes wait for the store, once a second: it gets fewer, larger hand-overs, and what changes again meanwhile is written
/// once.
/// </summary>
/// <param name="interval">The interval while nothing is behind.</param>
/// <param name="time">Clock.</param>
internal sealed class PublishPace(TimeSpan interval, TimeProvider time)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);
    private const int Rarity = 10;
    private long _last = time.GetTimestamp();
    private TimeSpan _cost;

    /// <summary>Gets the interval while the store is behind, and while nothing has changed.</summary>
    private TimeSpan Longest => interval > LongestInterval ? interval : LongestInterval;

    /// <summary>Gets the interval that leaves most of the time to training.</summary>
    private TimeSpan Affordable => TimeSpan.FromTicks(Math.Clamp(Rarity * _cost.Ticks, interval.Ticks, Longest.Ticks));

    /// <summary>Starts the next interval.</summary>
    public void Restart() => _last = time.GetTimestamp();

    /// <summary>The hand-over that began with the interval is done.</summary>
    public void HandedOver() => _cost = time.GetElapsedTime(_last);

    /// <summary>Whether a hand-over is due.</summary>
    /// <param name="hasChanges">Whether there is something to hand over.</param>
    /// <param name="isStoreBehind">Whether earlier changes wait for the store.</param>
    public bool IsDue(bool hasChanges, bool isStoreBehind) =>
        time.GetElapsedTime(_last) >= (hasChanges && !isStoreBehind ? Affordable : Longest);

    /// <summary>How long to wait at most before asking again.</summary>
    /// <param name="hasChanges">Whether there is something to hand over.</param>
    public TimeSpan Wait(bool hasChanges)
    {
        TimeSpan left = (hasChanges ? Affordable : Longest) - time.GetElapsedTime(_last);
        return left > TimeSpan.Zero ? left : interval;
    }
}
