namespace Streaming.Lab.Demo;

/// <summary>Shows how a demo goes.</summary>
internal abstract class DemoView
{
    /// <summary>Shows until told to end; the last snapshot stays.</summary>
    /// <param name="read">The snapshot of now.</param>
    /// <param name="interval">Time between two snapshots.</param>
    /// <param name="end">Ends it.</param>
    public abstract Task RunAsync(Func<DemoSnapshot> read, TimeSpan interval, CancellationToken end);
}
