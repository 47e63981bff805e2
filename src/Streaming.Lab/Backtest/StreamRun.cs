using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>What a model did on a stream with one seed.</summary>
/// <param name="Model">The model at each width.</param>
/// <param name="Sources">What counts beside it, and both; null when nothing is counted.</param>
/// <param name="SourceNames">What <paramref name="Sources"/> measures.</param>
/// <param name="Curve">The model along the stream.</param>
/// <param name="FusedCurve">The model with counts along the stream.</param>
internal sealed record StreamRun(
    PrequentialEvaluator Model, PrequentialEvaluator? Sources, IReadOnlyList<string> SourceNames, StreamCurve.Recorder Curve, StreamCurve.Recorder FusedCurve);
