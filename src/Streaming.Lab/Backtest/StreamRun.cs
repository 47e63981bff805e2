using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>The result of one model and seed on a stream.</summary>
/// <param name="Model">The model at each width.</param>
/// <param name="Sources">Counts alone, and combined with the model; null if nothing is counted.</param>
/// <param name="SourceNames">The names of what <paramref name="Sources"/> measures.</param>
/// <param name="Curve">The model along the stream.</param>
/// <param name="FusedCurve">The model with counts along the stream.</param>
internal sealed record StreamRun(
    PrequentialEvaluator Model,
    PrequentialEvaluator? Sources,
    IReadOnlyList<string> SourceNames,
    StreamCurve.Recorder Curve,
    StreamCurve.Recorder FusedCurve
);
