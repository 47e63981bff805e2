using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Lab.Demo;

/// <summary>A snapshot of a running demo.</summary>
/// <param name="Elapsed">Time since the first event was sent.</param>
/// <param name="Produced">Number of events sent.</param>
/// <param name="Expected">Number of events that will be sent, if known.</param>
/// <param name="EventsPerSecond">Events read per second since the previous snapshot.</param>
/// <param name="Status">Status of the pipeline.</param>
internal sealed record DemoSnapshot(TimeSpan Elapsed, long Produced, long? Expected, double EventsPerSecond, PipelineStatus Status)
{
    /// <summary>Gets the number of events sent but not yet trained on.</summary>
    public long Lag => Math.Max(Produced - Status.Counts.Read, 0);

    /// <summary>Gets the trainer's status.</summary>
    public TrainerStatus Trainer => Status.Trainer;

    /// <summary>Returns a quantile of freshness in milliseconds, 0 before anything was published.</summary>
    public double Freshness(double quantile) => Status.Published?.Freshness.Quantile(quantile) ?? 0;
}
