namespace Streaming.Core.Tests;

/// <summary>A clock that stands still until it is moved.</summary>
internal sealed class FixedTime(long unixMilliseconds) : TimeProvider
{
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan time) => _elapsed += time;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds) + _elapsed;

    public override long GetTimestamp() => _elapsed.Ticks;
}
