using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>The result of one model and seed on a stream.</summary>
/// <param name="Model">The model at each width.</param>
/// <param name="Sources">Counts alone, and combined with the model; null if nothing is counted.</param>
/// <param name="SourceNames">The names of what <paramref name="Sources"/> measures.</param>
/// <param name="Curve">The model along the stream.</param>
/// <param name="FusedCurve">The model with counts along the stream; null if nothing is counted.</param>
internal sealed record StreamRun(
    PrequentialEvaluator Model,
    PrequentialEvaluator? Sources,
    IReadOnlyList<string> SourceNames,
    StreamCurve.Recorder Curve,
    StreamCurve.Recorder? FusedCurve
)
{
    /// <summary>Gets the metrics by days since the last scheduled training; null without a schedule.</summary>
    public RecallSinceTraining? Days { get; init; }

    /// <summary>Gets the processor time of training, all threads, without scoring.</summary>
    public TimeSpan Training { get; init; }
}
