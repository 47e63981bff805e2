using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

/// <summary>The measures against an independent reference, on small random rankings with ties, exclusions and NaN scores.</summary>
public class MeasureReferenceTests
{
    private static readonly int[] Cutoffs = [1, 2, 3, 5, 10];

    [Fact]
    public void Add_OneTarget_IsTheMeanOverAllOrdersOfTheList()
    {
        var random = new Random(1);
        for (int round = 0; round < 150; round++)
        {
            (double[] scores, int[] targets, int[] excluded) = Case(random, targets: 1);
            double[] listed = [.. scores.Select((score, item) => excluded.Contains(item) ? double.NegativeInfinity : score)];
            var metrics = new RankingMetrics(Cutoffs);
            metrics.Add(TiedRank.Of(listed, targets[0]));
            AssertEqual(metrics, scores, targets, excluded);
        }
    }

    [Fact]
    public void Add_SeveralTargets_IsTheMeanOverAllOrdersOfTheList()
    {
        var random = new Random(2);
        for (int round = 0; round < 150; round++)
        {
            (double[] scores, int[] targets, int[] excluded) = Case(random, targets: random.Next(2, 5));
            var metrics = new RankingMetrics(Cutoffs);

            // Targets are ranked among non-targets, as the ranker passes them.
            metrics.Add([
                .. targets.Select(target =>
                    TiedRank.Of(
                        [
                            .. scores.Select(
                                (score, item) =>
                                    item != target && (targets.Contains(item) || excluded.Contains(item)) ? double.NegativeInfinity
                                    : excluded.Contains(item) ? double.NaN
                                    : score
                            ),
                        ],
                        target
                    )
                ),
            ]);
            AssertEqual(metrics, scores, targets, excluded);
        }
    }

    /// <summary>Two targets and three others, all tied: one of the five is first.</summary>
    [Fact]
    public void Add_TargetsThatTieWithEachOther_ShareTheirPlaces()
    {
        var metrics = new RankingMetrics([1]);
        metrics.Add([new TiedRank(0, 3), new TiedRank(0, 3)]);
        Assert.Equal(0.2, metrics.Recall(1), 12);
        Assert.Equal(0.4, metrics.HitRate(1), 12);
        Assert.Equal(0.4, metrics.Ndcg(1), 12);
    }

    [Fact]
    public void Add_AllScoresNotANumber_IsAMissEverywhere()
    {
        double[] scores = [double.NaN, double.NaN, double.NaN];
        var metrics = new RankingMetrics(Cutoffs);
        metrics.Add(TiedRank.Of(scores, 1));
        metrics.Add([TiedRank.Of(scores, 0), TiedRank.Of(scores, 2)]);
        Assert.All(Cutoffs, cutoff => Assert.Equal((0, 0, 0), (metrics.Recall(cutoff), metrics.HitRate(cutoff), metrics.Ndcg(cutoff))));
        Assert.Equal(2, metrics.Count);
    }

    [Fact]
    public void Add_CutoffBeyondTheCatalogue_FindsWhatIsInIt()
    {
        var metrics = new RankingMetrics([100]);
        metrics.Add(TiedRank.Of([0.3, 0.1, 0.2], 1));
        Assert.Equal(1, metrics.Recall(100));
        Assert.Equal(1 / Math.Log2(4), metrics.Ndcg(100), 12);
    }

    [Fact]
    public void Add_MoreTargetsThanTheCutoff_AFullListHasNdcgOneAndRecallBelowIt()
    {
        var metrics = new RankingMetrics([2]);
        metrics.Add([new TiedRank(0, 0), new TiedRank(0, 0), new TiedRank(0, 0), new TiedRank(0, 0)]);
        Assert.Equal(0.5, metrics.Recall(2), 12);
        Assert.Equal(1, metrics.Ndcg(2), 12);
    }

    private static (double[] Scores, int[] Targets, int[] Excluded) Case(Random random, int targets)
    {
        // Few distinct values, so that most cases have ties.
        double[] scores =
        [
            .. Enumerable.Range(0, random.Next(targets + 1, 8)).Select(_ => random.Next(8) == 0 ? double.NaN : random.Next(3) / 2.0),
        ];
        int[] items = [.. Enumerable.Range(0, scores.Length)];
        random.Shuffle(items);
        int[] excluded = [.. items[targets..].Where(_ => random.Next(3) == 0)];
        if (random.Next(6) == 0)
        {
            excluded = [.. excluded, items[0]];
        }

        return (scores, items[..targets], excluded);
    }

    private static void AssertEqual(RankingMetrics metrics, double[] scores, int[] targets, int[] excluded)
    {
        foreach (int cutoff in Cutoffs)
        {
            (double recall, double hitRate, double ndcg) = MeasureReference.Of(scores, targets, excluded, cutoff);
            Assert.Equal(recall, metrics.Recall(cutoff), 10);
            Assert.Equal(hitRate, metrics.HitRate(cutoff), 10);
            Assert.Equal(ndcg, metrics.Ndcg(cutoff), 10);
        }
    }
}
