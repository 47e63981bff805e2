using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>A line of the result: one model or baseline at one width, mean over the seeds.</summary>
/// <param name="Tower">Tower, or the name of a baseline.</param>
/// <param name="Loss">Loss; "none" for a baseline.</param>
/// <param name="Width">Width; 0 for a baseline.</param>
/// <param name="IsSingleWidth">Whether the model was trained at this width only, and not cut out of a wider one.</param>
/// <param name="HistoryMasked">Whether the history's items were excluded from the ranking.</param>
/// <param name="Segment">The examples, in a prequential run; null otherwise.</param>
/// <param name="Settings">Settings that differ from the defaults.</param>
/// <param name="Runs">Metrics of each seed.</param>
internal sealed record ReportRow(
    string Tower,
    string Loss,
    int Width,
    bool IsSingleWidth,
    bool HistoryMasked,
    string? Segment,
    string Settings,
    IReadOnlyList<RankingMetrics> Runs
)
{
    /// <summary>Recall@K, mean over the seeds.</summary>
    public double Recall(int cutoff) => Runs.Average(run => run.Recall(cutoff));

    /// <summary>Hit rate@K, mean over the seeds.</summary>
    public double HitRate(int cutoff) => Runs.Average(run => run.HitRate(cutoff));

    /// <summary>NDCG@K, mean over the seeds.</summary>
    public double Ndcg(int cutoff) => Runs.Average(run => run.Ndcg(cutoff));

    /// <summary>Sample standard deviation of a measure over the seeds; 0 with one seed.</summary>
    public double Spread(Func<RankingMetrics, double> measure)
    {
        if (Runs.Count < 2)
        {
            return 0;
        }

        double mean = Runs.Average(measure);
        return Math.Sqrt(Runs.Sum(run => Math.Pow(measure(run) - mean, 2)) / (Runs.Count - 1));
    }
}
