namespace Streaming.Transport.Tests.Kafka;

/// <summary>A clock that is advanced manually.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _now = 1;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _now, (long)(time.TotalSeconds * TimestampFrequency));
}
