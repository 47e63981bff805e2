namespace Streaming.Learning.Evaluation;

/// <summary>The rank of an item by score: how many others score higher, and how many tie with it.</summary>
/// <remarks>
/// Ties are never broken by item order: that would favour whichever items happen to be stored first (and a model that
/// scores everything the same would look good). A metric takes its expected value over all orders of the tied items, so
/// a constant score over n items has Recall@K = K / n.
/// </remarks>
/// <param name="Above">Items with a greater score, 0 and up.</param>
/// <param name="Ties">Other items with the same score, 0 and up.</param>
public readonly record struct TiedRank(int Above, int Ties)
{
    /// <summary>Gets the rank of an item that cannot be recommended because it is not in the catalogue yet: a miss at every
    /// cutoff.</summary>
    public static TiedRank Missing => new(int.MaxValue, 0);

    /// <summary>Ranks one item among all.</summary>
    /// <param name="scores">[n] scores. An item with score −∞ or NaN is not ranked: it is neither above nor tied with any other, and is
    /// <see cref="Missing"/> itself.</param>
    /// <param name="item">The item, an index into <paramref name="scores"/>.</param>
    public static TiedRank Of(ReadOnlySpan<double> scores, int item)
    {
        double score = Number(scores[item]);
        if (double.IsNegativeInfinity(score))
        {
            return Missing;
        }

        int above = 0;
        int level = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            double other = Number(scores[i]);
            above += other > score ? 1 : 0;
            level += other == score ? 1 : 0;
        }

        return new(above, level - 1);
    }

    private static double Number(double score) => double.IsNaN(score) ? double.NegativeInfinity : score;
}
