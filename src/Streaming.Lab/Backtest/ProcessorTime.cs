namespace Streaming.Lab.Backtest;

/// <summary>A clock that shows how long all threads of this process have run: the cost of work, however busy the machine is.</summary>
internal sealed class ProcessorTime : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => Environment.CpuUsage.TotalTime.Ticks;
}
