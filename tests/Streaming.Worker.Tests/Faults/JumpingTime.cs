namespace Streaming.Worker.Tests.Faults;

/// <summary>The machine's clock, which somebody sets: the time of day leaps, the time since the start does not.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private long _offset;

    /// <summary>Gets or sets by how much the time of day is wrong.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
