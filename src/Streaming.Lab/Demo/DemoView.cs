namespace Streaming.Lab.Demo;

/// <summary>Shows how a demo goes.</summary>
internal abstract class DemoView
{
    /// <summary>Shows until told to end; the last picture stays.</summary>
    /// <param name="read">The picture of now.</param>
    /// <param name="interval">Time between two pictures.</param>
    /// <param name="end">Ends it.</param>
    public abstract Task RunAsync(Func<DemoPicture> read, TimeSpan interval, CancellationToken end);
}
