namespace Streaming.Learning.Tests.Evaluation;

/// <summary>Recall, hit rate and NDCG by definition: the mean over all item orders that the scores allow.</summary>
internal static class MeasureReference
{
    /// <summary>Measures a ranking of at most eight items.</summary>
    /// <param name="scores">Score of each item; items with NaN are not ranked.</param>
    /// <param name="targets">The relevant items.</param>
    /// <param name="excluded">Items excluded from the ranking, targets or not.</param>
    /// <param name="cutoff">K.</param>
    public static (double Recall, double HitRate, double Ndcg) Of(double[] scores, int[] targets, int[] excluded, int cutoff)
    {
        int[] listed = [.. Enumerable.Range(0, scores.Length).Where(item => !double.IsNaN(scores[item]) && !excluded.Contains(item))];
        int[][] orders =
        [
            .. Orders(listed).Where(order => order.Zip(order.Skip(1)).All(pair => scores[pair.First] >= scores[pair.Second])),
        ];
        double ideal = Enumerable.Range(1, Math.Min(cutoff, targets.Length)).Sum(Discount);
        return (
            orders.Average(order => (double)order.Take(cutoff).Count(targets.Contains) / targets.Length),
            orders.Average(order => order.Take(cutoff).Any(targets.Contains) ? 1.0 : 0),
            orders.Average(order =>
                order.Take(cutoff).Select((item, place) => targets.Contains(item) ? Discount(place + 1) : 0).Sum() / ideal
            )
        );
    }

    private static double Discount(int rank) => 1 / Math.Log2(rank + 1);

    private static IEnumerable<int[]> Orders(int[] items) =>
        items.Length == 0
            ?
            [
                [],
            ]
            : items.SelectMany(first => Orders([.. items.Where(item => item != first)]).Select(rest => (int[])[first, .. rest]));
}
