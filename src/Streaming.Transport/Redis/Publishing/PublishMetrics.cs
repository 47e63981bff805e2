using Streaming.Core.Metrics;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Counters of a publisher since its creation. Thread-safe to read.</summary>
public sealed class PublishMetrics
{
    private long _written;
    private long _removed;
    private long _skipped;
    private long _rejected;
    private long _failed;
    private int _degraded;

    /// <summary>Gets the number of vectors written.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Gets the number of items removed.</summary>
    public long Removed => Volatile.Read(ref _removed);

    /// <summary>Gets the number of items skipped because the store held a newer value.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    /// <summary>Gets the number of vectors that could not be stored.</summary>
    public long Rejected => Volatile.Read(ref _rejected);

    /// <summary>Gets how often an item was put back because Redis did not take it.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Gets a value indicating whether the last attempt failed.</summary>
    public bool Degraded => Volatile.Read(ref _degraded) != 0;

    /// <summary>Gets the time from a record's production until the item it affected was visible in Redis.</summary>
    public LatencyHistogram Freshness { get; } = new();

    /// <summary>Gets the duration of script calls, including retries.</summary>
    public LatencyHistogram WriteTime { get; } = new();

    internal void Add(PublishCounts counts)
    {
        Interlocked.Add(ref _written, counts.Written);
        Interlocked.Add(ref _removed, counts.Removed);
        Interlocked.Add(ref _skipped, counts.Skipped);
        Interlocked.Add(ref _rejected, counts.Rejected);
        Interlocked.Add(ref _failed, counts.Failed);
    }

    /// <returns>Whether this changes the state.</returns>
    internal bool SetDegraded(bool degraded) => Interlocked.Exchange(ref _degraded, degraded ? 1 : 0) != (degraded ? 1 : 0);
}
