namespace Streaming.Learning.Evaluation;

/// <summary>Prefix sums of the NDCG discounts 1 / log₂(rank + 1): the expectation over tied ranks is one subtraction.</summary>
internal sealed class DiscountTable
{
    private readonly double[] _sums;

    public DiscountTable(int largestCutoff)
    {
        _sums = new double[largestCutoff + 1];
        for (int rank = 1; rank <= largestCutoff; rank++)
        {
            _sums[rank] = _sums[rank - 1] + (1 / Math.Log2(rank + 1));
        }
    }

    /// <summary>Probability that the item is among the first <paramref name="cutoff"/>, over all orders of the ties.</summary>
    public static double HitProbability(TiedRank rank, int cutoff) =>
        rank.Above >= cutoff ? 0 : Math.Min(1, (cutoff - rank.Above) / (rank.Ties + 1.0));

    /// <summary>Sum of the discounts of ranks 1 … <paramref name="ranks"/>.</summary>
    public double Sum(int ranks) => _sums[ranks];

    /// <summary>Expected discount, 0 beyond the cutoff, over all orders of the ties.</summary>
    public double Expected(TiedRank rank, int cutoff)
    {
        if (rank.Above >= cutoff)
        {
            return 0;
        }

        int last = (int)Math.Min(cutoff, rank.Above + rank.Ties + 1L);
        return (_sums[last] - _sums[rank.Above]) / (rank.Ties + 1.0);
    }
}
