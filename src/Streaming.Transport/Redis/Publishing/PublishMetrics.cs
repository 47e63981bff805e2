using Streaming.Core.Metrics;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Counters of a publisher since its creation. Thread-safe to read.</summary>
/// <param name="time">Time.</param>
public sealed class PublishMetrics(TimeProvider time)
{
    private static readonly TimeSpan HalfWindow = TimeSpan.FromSeconds(30);

    private long _written;
    private long _unchanged;
    private long _removed;
    private long _skipped;
    private long _rejected;
    private long _failed;
    private int _degraded;
    private string _reason = string.Empty;

    /// <summary>Gets the number of vectors written.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Gets the number of vectors that the store held already.</summary>
    public long Unchanged => Volatile.Read(ref _unchanged);

    /// <summary>Gets the number of items removed.</summary>
    public long Removed => Volatile.Read(ref _removed);

    /// <summary>Gets the number of items skipped because the store held a newer value.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    /// <summary>Gets how often a vector or a history could not be stored.</summary>
    public long Rejected => Volatile.Read(ref _rejected);

    /// <summary>Gets the items whose newest vector could not be stored; none of a publisher of histories.</summary>
    public RefusedVectors Refused { get; } = new(time);

    /// <summary>Gets how often an item was put back because Redis did not take it.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Gets a value indicating whether the last attempt failed.</summary>
    public bool Degraded => Volatile.Read(ref _degraded) != 0;

    /// <summary>Gets why it did, in Redis's words where it has answered; empty while nothing is wrong.</summary>
    public string Reason => Volatile.Read(ref _reason);

    /// <summary>Gets the time from a record's production until the item it affected was visible in Redis.</summary>
    public LatencyHistogram Freshness { get; } = new();

    /// <summary>Gets the same over the last 30 to 60 s.</summary>
    public RecentLatency RecentFreshness { get; } = new(HalfWindow, time);

    /// <summary>Gets the duration of script calls, including retries.</summary>
    public LatencyHistogram WriteTime { get; } = new();

    internal void Add(PublishCounts counts)
    {
        Interlocked.Add(ref _written, counts.Written);
        Interlocked.Add(ref _unchanged, counts.Unchanged);
        Interlocked.Add(ref _removed, counts.Removed);
        Interlocked.Add(ref _skipped, counts.Skipped);
        Interlocked.Add(ref _rejected, counts.Rejected);
        Interlocked.Add(ref _failed, counts.Failed);
    }

    internal void RecordFreshness(TimeSpan age)
    {
        Freshness.Record(age);
        RecentFreshness.Record(age);
    }

    /// <returns>Whether this changes the state.</returns>
    internal bool SetDegraded(Exception? error)
    {
        Volatile.Write(ref _reason, error is null ? string.Empty : RedisConnection.FirstWords(error.Message));
        return SetDegraded(true);
    }

    /// <returns>Whether that is a change.</returns>
    internal bool SetHealthy()
    {
        Volatile.Write(ref _reason, string.Empty);
        return SetDegraded(false);
    }

    private bool SetDegraded(bool degraded) => Interlocked.Exchange(ref _degraded, degraded ? 1 : 0) != (degraded ? 1 : 0);
}
