using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Lab.Demo;

/// <summary>How a demo is at one moment.</summary>
/// <param name="Elapsed">Time since the first event was sent.</param>
/// <param name="Produced">Events sent.</param>
/// <param name="Expected">Events that will be sent, where that is known.</param>
/// <param name="EventsPerSecond">Events read a second since the snapshot before.</param>
/// <param name="Status">The pipeline.</param>
internal sealed record DemoSnapshot(TimeSpan Elapsed, long Produced, long? Expected, double EventsPerSecond, PipelineStatus Status)
{
    /// <summary>Gets the events that were sent and are not yet trained on.</summary>
    public long Lag => Math.Max(Produced - Status.Counts.Read, 0);

    /// <summary>Gets the trainer's figures.</summary>
    public TrainerStatus Trainer => Status.Trainer;

    /// <summary>Freshness at a quantile in milliseconds, 0 before anything was published.</summary>
    public double Freshness(double quantile) => Status.Published?.Freshness.Quantile(quantile) ?? 0;
}
