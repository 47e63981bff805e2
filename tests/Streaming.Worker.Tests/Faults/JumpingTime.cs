namespace Streaming.Worker.Tests.Faults;

/// <summary>A system clock that can be set: wall time jumps, elapsed time does not.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private long _offset;

    /// <summary>Gets or sets the error of the wall clock.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _offset));
        set => Volatile.Write(ref _offset, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
