using Streaming.Learning.Evaluation;
using Streaming.Learning.Tests.Training;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public class StreamingBaselineTests
{
    public static TheoryData<string> Names => ["recent-popularity", "item-knn", "isgd"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rank_ItemNeverSeen_IsMissing(string name)
    {
        StreamingBaseline baseline = Create(name);
        baseline.Update(0, [], 5);
        Assert.Equal(TiedRank.Missing, baseline.Rank(0, [5], 3, []));
        Assert.Equal(TiedRank.Missing, baseline.Rank(0, [5], 9, []));
        Assert.NotEqual(TiedRank.Missing, baseline.Rank(0, [], 5, []));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Rank_AllOthersExcluded_IsFirst(string name)
    {
        StreamingBaseline baseline = Create(name);
        for (int item = 0; item < 10; item++)
        {
            baseline.Update(item % 3, item > 0 ? [item - 1] : [], item);
        }

        Assert.Equal(new TiedRank(0, 0), baseline.Rank(1, [4], 7, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]));
    }

    [Fact]
    public void RecentPopularity_WeightHalvesEachHalfLife()
    {
        // Two events of item 0, then two half-lives of others: 2 · ¼ is less than the 1 of item 1.
        var baseline = new RecentPopularity(halfLife: 10);
        baseline.Update(0, [], 0);
        baseline.Update(0, [], 0);
        for (int i = 0; i < 19; i++)
        {
            baseline.Update(0, [], 2 + i);
        }

        baseline.Update(0, [], 1);
        Assert.True(baseline.Rank(0, [], 1, []).Above < baseline.Rank(0, [], 0, []).Above);

        var plain = new RecentPopularity(double.PositiveInfinity);
        plain.Update(0, [], 0);
        plain.Update(0, [], 0);
        plain.Update(0, [], 1);
        Assert.Equal(0, plain.Rank(0, [], 0, []).Above);
    }

    [Fact]
    public void RecentPopularity_BeyondFloatRange_KeepsTheOrder()
    {
        // Half-life 1: the weight passes 1e270 after 900 events, the range of float64 after 1,024.
        var baseline = new RecentPopularity(halfLife: 1);
        for (int i = 0; i < 5_000; i++)
        {
            baseline.Update(0, [], i % 4);
        }

        Assert.Equal([3, 2, 1, 0], Enumerable.Range(0, 4).Select(item => baseline.Rank(0, [], item, []).Above));
    }

    [Fact]
    public void ItemKnn_Score_IsCosineOfCoOccurrenceWithDecay()
    {
        // Counts: 0 twice, 1 once, 2 twice, 3 once. Pairs: (0,1) 1, (0,2) 1, (2,3) 1.
        var baseline = new IncrementalItemKnn(window: 10, decay: 0.5);
        baseline.Update(0, [], 0);
        baseline.Update(0, [0], 1);
        baseline.Update(1, [], 0);
        baseline.Update(1, [0], 2);
        baseline.Update(2, [], 2);
        baseline.Update(2, [2], 3);

        // History 0, 2 (2 latest): 1 gets 0.5/√2, 3 gets 1/√2, 0 gets 1/2, 2 gets 0.5/2.
        Assert.Equal(0, baseline.Rank(3, [0, 2], 3, []).Above);
        Assert.Equal(1, baseline.Rank(3, [0, 2], 0, []).Above);
        Assert.Equal(2, baseline.Rank(3, [0, 2], 1, []).Above);
        Assert.Equal(3, baseline.Rank(3, [0, 2], 2, []).Above);
    }

    [Fact]
    public void Isgd_TwoGroupsOfUsers_LearnsTheGroups()
    {
        // Even users choose even items, odd users odd ones. ISGD must rank unseen items of the user's group first.
        var baseline = new IncrementalSgd(factors: 10);
        var random = new Random(3);
        for (int i = 0; i < 20_000; i++)
        {
            int user = random.Next(40);
            int item = (random.Next(20) * 2) + (user % 2);
            if (user != item)
            {
                baseline.Update(user, [], item);
            }
        }

        var metrics = new RankingMetrics([20]);
        for (int user = 0; user < 40; user++)
        {
            metrics.Add(baseline.Rank(user, [], user, []));
        }

        Assert.True(metrics.Recall(20) > 0.7, $"Recall@20 of the held-out pairs is {metrics.Recall(20)}; chance is 0.5.");
    }

    private static StreamingBaseline Create(string name) =>
        name switch
        {
            "recent-popularity" => new RecentPopularity(),
            "item-knn" => new IncrementalItemKnn(),
            _ => new IncrementalSgd(),
        };
}
