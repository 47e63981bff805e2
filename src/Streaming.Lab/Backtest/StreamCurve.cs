using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>A model's quality along a stream: Recall@K of new items over the newest examples, sampled once per window.</summary>
/// <param name="Model">The model or baseline, with what differs from the defaults.</param>
/// <param name="Cutoff">K.</param>
/// <param name="Points">The samples.</param>
internal sealed record StreamCurve(string Model, int Cutoff, IReadOnlyList<StreamCurve.Point> Points)
{
    /// <summary>One sample.</summary>
    /// <param name="Events">Events of the stream so far.</param>
    /// <param name="Recall">Recall over the newest window, mean over the seeds.</param>
    /// <param name="BankEntries">Bank entries used by the last step, mean over the seeds; 0 for baselines.</param>
    internal readonly record struct Point(int Events, double Recall, double BankEntries);

    /// <summary>Averages the curves of several seeds, which have the same events.</summary>
    public static StreamCurve Mean(string model, IReadOnlyList<Recorder> runs) =>
        new(
            model,
            runs[0].Cutoff,
            [
                .. runs[0]
                    .Points.Select(
                        (point, i) =>
                            new Point(
                                point.Events,
                                runs.Average(run => run.Points[i].Recall),
                                runs.Average(run => run.Points[i].BankEntries)
                            )
                    ),
            ]
        );

    /// <summary>Samples an evaluator once per window of events.</summary>
    /// <param name="cutoff">K.</param>
    /// <param name="window">Events between samples, 1 and up; equal to the evaluator's window, so that samples do not overlap.</param>
    internal sealed class Recorder(int cutoff, int window)
    {
        /// <summary>Gets K.</summary>
        public int Cutoff => cutoff;

        /// <summary>Gets the samples so far.</summary>
        public List<Point> Points { get; } = [];

        /// <summary>Records the number of events done; call at least every <c>window</c> events.</summary>
        public void At(int events, PrequentialEvaluator evaluator, int width, int bankEntries)
        {
            if (events / window > (Points.Count == 0 ? 0 : Points[^1].Events / window))
            {
                RankingMetrics recent = evaluator.Recent(width, EvaluationSegment.NewItems);
                Points.Add(new Point(events, recent.Recall(cutoff), bankEntries));
            }
        }
    }
}
