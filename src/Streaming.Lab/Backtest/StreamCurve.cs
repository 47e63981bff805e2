using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>How well a model did along a stream: Recall@K of new items over the newest examples, read once a window.</summary>
/// <param name="Model">The model or baseline, with what differs from the defaults.</param>
/// <param name="Cutoff">K.</param>
/// <param name="Points">After how many events which recall, and how many bank entries the last step used.</param>
internal sealed record StreamCurve(string Model, int Cutoff, IReadOnlyList<StreamCurve.Point> Points)
{
    /// <summary>One reading.</summary>
    /// <param name="Events">Events of the stream so far.</param>
    /// <param name="Recall">Recall over the newest window, mean over the seeds.</param>
    /// <param name="BankEntries">Bank entries that the last step used, mean over the seeds; 0 for baselines.</param>
    internal readonly record struct Point(int Events, double Recall, double BankEntries);

    /// <summary>The mean of the curves of several seeds, which have the same events.</summary>
    public static StreamCurve Mean(string model, IReadOnlyList<Recorder> runs) => new(
        model,
        runs[0].Cutoff,
        [.. runs[0].Points.Select((point, i) => new Point(point.Events, runs.Average(run => run.Points[i].Recall), runs.Average(run => run.Points[i].BankEntries)))]);

    /// <summary>Reads an evaluator whenever a window of events has passed.</summary>
    /// <param name="cutoff">K.</param>
    /// <param name="window">Events between readings, 1 and up; that of the evaluator, so that readings do not overlap.</param>
    internal sealed class Recorder(int cutoff, int window)
    {
        /// <summary>Gets K.</summary>
        public int Cutoff => cutoff;

        /// <summary>Gets the readings so far.</summary>
        public List<Point> Points { get; } = [];

        /// <summary>Takes note of the events done, at least every <c>window</c> of them.</summary>
        public void At(int events, PrequentialEvaluator evaluator, int width, int bankEntries)
        {
            if (events / window > (Points.Count == 0 ? 0 : Points[^1].Events / window))
            {
                var recent = evaluator.Recent(width, EvaluationSegment.NewItems);
                Points.Add(new Point(events, recent.Recall(cutoff), bankEntries));
            }
        }
    }
}
