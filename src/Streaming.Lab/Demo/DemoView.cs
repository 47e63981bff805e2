namespace Streaming.Lab.Demo;

/// <summary>Displays a demo's progress.</summary>
internal abstract class DemoView
{
    /// <summary>Displays snapshots until cancelled; the last one remains visible.</summary>
    /// <param name="read">Returns the current snapshot.</param>
    /// <param name="interval">Time between two snapshots.</param>
    /// <param name="end">Stops the display.</param>
    public abstract Task RunAsync(Func<DemoSnapshot> read, TimeSpan interval, CancellationToken end);
}
