using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public class RankingMetricsTests
{
    [Fact]
    public void Add_RanksWithoutTies_GivesDefinitions()
    {
        var metrics = new RankingMetrics([1, 3]);
        metrics.Add(new TiedRank(0, 0));
        metrics.Add(new TiedRank(2, 0));
        metrics.Add(new TiedRank(3, 0));
        metrics.Add(TiedRank.Missing);
        Assert.Equal(0.25, metrics.Recall(1));
        Assert.Equal(0.5, metrics.Recall(3));
        Assert.Equal(0.5, metrics.HitRate(3));
        Assert.Equal((1 + 0.5) / 4, metrics.Ndcg(3), 12);
    }

    [Fact]
    public void Add_TiedRank_IsTheMeanOverAllOrders()
    {
        // Above 2, tied with 3 others: ranks 3, 4, 5, 6 are equally likely.
        var tied = new RankingMetrics([4, 5, 10]);
        tied.Add(new TiedRank(2, 3));
        var orders = new RankingMetrics([4, 5, 10]);
        for (int above = 2; above <= 5; above++)
        {
            orders.Add(new TiedRank(above, 0));
        }

        foreach (int cutoff in tied.Cutoffs)
        {
            Assert.Equal(orders.Recall(cutoff), tied.Recall(cutoff), 12);
            Assert.Equal(orders.Ndcg(cutoff), tied.Ndcg(cutoff), 12);
        }
    }

    [Fact]
    public void Add_ConstantScores_IsCutoffOverItems()
    {
        var metrics = new RankingMetrics([10]);
        double[] scores = new double[200];
        for (int item = 0; item < scores.Length; item++)
        {
            metrics.Add(TiedRank.Of(scores, item));
        }

        Assert.Equal(10.0 / 200, metrics.Recall(10), 12);
    }

    [Fact]
    public void Add_SeveralTargets_GivesComiRecDefinitions()
    {
        // Targets at positions 1, 3 and 8 of the list, preceded by 0, 1 and 5 non-targets.
        var metrics = new RankingMetrics([2, 5]);
        metrics.Add([new TiedRank(5, 0), new TiedRank(0, 0), new TiedRank(1, 0)]);
        Assert.Equal(1.0 / 3, metrics.Recall(2), 12);
        Assert.Equal(1, metrics.HitRate(2));
        Assert.Equal(2.0 / 3, metrics.Recall(5), 12);
        double ideal = 1 + (1 / Math.Log2(3)) + 0.5;
        Assert.Equal((1 + 0.5) / ideal, metrics.Ndcg(5), 12);
    }

    [Fact]
    public void Add_SeveralTargetsOneMissing_CountsItAsMiss()
    {
        var metrics = new RankingMetrics([10]);
        metrics.Add([TiedRank.Missing, new TiedRank(0, 0)]);
        Assert.Equal(0.5, metrics.Recall(10));
    }

    [Theory]
    [InlineData()]
    [InlineData(0)]
    [InlineData(10, 5)]
    [InlineData(20_000)]
    public void Constructor_CutoffsOutOfRange_NamesThem(params int[] cutoffs)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new RankingMetrics(cutoffs));
        Assert.Contains("increasing list within 1 … 10000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recall_CutoffNotMeasured_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new RankingMetrics([10]).Recall(20));
}
