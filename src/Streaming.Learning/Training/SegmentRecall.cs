using Streaming.Learning.Evaluation;

namespace Streaming.Learning.Training;

/// <summary>Recall and NDCG at the cutoff nearest to 20, over the last examples of each segment, 0 … 1.</summary>
/// <param name="Recall">Of all examples.</param>
/// <param name="Ndcg">Of all examples.</param>
/// <param name="NewItems">Recall where the item was new to the user.</param>
/// <param name="Repeats">Recall where the user's history contained the item.</param>
/// <param name="KnownUsers">Recall where the user had a history.</param>
/// <param name="NewUsers">Recall where the user had none.</param>
/// <param name="FirstDay">Recall where the item's first event was less than a day ago.</param>
/// <param name="Examples">Number of ranked examples in the window over all.</param>
public readonly record struct SegmentRecall(
    double Recall,
    double Ndcg,
    double NewItems,
    double Repeats,
    double KnownUsers,
    double NewUsers,
    double FirstDay,
    long Examples
)
{
    /// <summary>Gets the standard error of <see cref="Recall"/>; NaN before examples of two batches were ranked.</summary>
    public double RecallError { get; init; } = double.NaN;

    /// <summary>Gets the standard error of <see cref="Ndcg"/>; NaN before examples of two batches were ranked.</summary>
    public double NdcgError { get; init; } = double.NaN;

    internal static SegmentRecall Of(PrequentialEvaluator evaluator, int width)
    {
        int cutoff = evaluator.Options.Cutoffs.MinBy(static cutoff => Math.Abs(cutoff - 20));
        RankingMetrics all = evaluator.Recent(width, EvaluationSegment.All);
        return new SegmentRecall(
            all.Recall(cutoff),
            all.Ndcg(cutoff),
            evaluator.Recent(width, EvaluationSegment.NewItems).Recall(cutoff),
            evaluator.Recent(width, EvaluationSegment.Repeats).Recall(cutoff),
            evaluator.Recent(width, EvaluationSegment.KnownUsers).Recall(cutoff),
            evaluator.Recent(width, EvaluationSegment.NewUsers).Recall(cutoff),
            evaluator.Recent(width, EvaluationSegment.ItemsInFirstDay).Recall(cutoff),
            all.Count
        )
        {
            RecallError = all.RecallError(cutoff),
            NdcgError = all.NdcgError(cutoff),
        };
    }
}
