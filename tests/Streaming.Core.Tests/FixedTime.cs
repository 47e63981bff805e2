namespace Streaming.Core.Tests;

/// <summary>A clock that only moves when advanced.</summary>
internal sealed class FixedTime(long unixMilliseconds) : TimeProvider
{
    private TimeSpan _elapsed;
    private TimeSpan _leap;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan time) => _elapsed += time;

    /// <summary>Sets the wall clock, like an operator does: no time elapses.</summary>
    public void Leap(TimeSpan time) => _leap += time;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds) + _elapsed + _leap;

    public override long GetTimestamp() => _elapsed.Ticks;
}
