using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public class TiedRankTests
{
    [Fact]
    public void Of_DistinctScores_CountsThoseAbove() => Assert.Equal(new TiedRank(2, 0), TiedRank.Of([0.1, 0.9, 0.3, 0.5], 2));

    [Fact]
    public void Of_EqualScores_DoesNotDependOnOrder()
    {
        double[] scores = [1, 2, 1, 1, 0];
        Assert.Equal(new TiedRank(1, 2), TiedRank.Of(scores, 0));
        Assert.Equal(new TiedRank(1, 2), TiedRank.Of(scores, 3));
    }

    [Fact]
    public void Of_ScoreThatIsNoNumber_IsMissing()
    {
        double[] scores = [double.NaN, 2, -1, double.NegativeInfinity];
        Assert.Equal(TiedRank.Missing, TiedRank.Of(scores, 0));
        Assert.Equal(TiedRank.Missing, TiedRank.Of(scores, 3));
        Assert.Equal(new TiedRank(1, 0), TiedRank.Of(scores, 2));
    }
}
