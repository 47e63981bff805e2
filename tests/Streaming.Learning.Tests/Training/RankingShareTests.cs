using Streaming.Learning.Training;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public class RankingShareTests
{
    private const int Examples = 128;

    /// <summary>Costs of a batch in seconds: the catalogue's vectors, ranking an example, all else.</summary>
    public static TheoryData<double, double, double, double> Costs =>
        new()
        {
            { 0.2, 0.0001, 0.00001, 0.02 },
            { 0.2, 0.002, 0.0001, 0.02 },
            { 0.2, 0.01, 0.0005, 0.02 },
            { 0.2, 0.15, 0.004, 0.02 },
            { 0.05, 0.01, 0.0005, 0.05 },
        };

    [Theory]
    [MemberData(nameof(Costs))]
    public void Take_AnyCost_StaysWithinTheShareAndUsesIt(double most, double catalogue, double example, double other)
    {
        Outcome outcome = Run(new RankingShare(most, seed: 1), 5_000, catalogue, example, other);
        double all = (catalogue + (Examples * example)) / (catalogue + (Examples * example) + other);
        double expected = Math.Min(most, all);
        Assert.InRange(outcome.Ranking / outcome.Total, 0.8 * expected, 1.05 * expected + (outcome.Longest / outcome.Total));
        Assert.InRange(outcome.Ranked, 1, 5_000 * Examples);
    }

    [Fact]
    public void Take_CheapRanking_TakesEveryExampleWithWeightOne()
    {
        var share = new RankingShare(0.2, seed: 1);
        for (int step = 0; step < 200; step++)
        {
            share.Take(Examples, step);
            Assert.Equal(Enumerable.Range(0, Examples), share.Chosen);
            Assert.Equal((1, step), (share.Drawn.Weight, share.Drawn.Batch));
            share.Measure(total: 0.021, catalogue: 0.0005, ranking: 0.0005);
        }

        Assert.Equal(1, share.Recent, 1e-9);
    }

    /// <summary>It yields while the trainer is behind, and does not ask for more afterwards.</summary>
    [Fact]
    public void Take_WhileTheTrainerIsBehind_TakesAQuarterOfTheShareAndNothingBackLater()
    {
        const double example = 0.0005,
            other = 0.02;
        var share = new RankingShare(0.2, seed: 1);
        double before = AverageShare(isBehind: false, 0),
            behind = AverageShare(isBehind: true, 1_000),
            after = AverageShare(isBehind: false, 2_000);
        Assert.InRange(behind, 0.2 * before, 0.3 * before);
        Assert.InRange(after, 0.9 * before, 1.1 * before);

        double AverageShare(bool isBehind, int from)
        {
            int ranked = 0;
            for (int step = from; step < from + 500; step++)
            {
                share.Take(Examples, step, isBehind);
                double ranking = share.Chosen.Count * example;
                share.Measure(other + ranking, 0, ranking);
                ranked += step < from + 50 ? 0 : share.Chosen.Count;
            }

            return ranked;
        }
    }

    [Fact]
    public void Take_ShareOfOne_TakesEveryExampleWhateverItCosts()
    {
        Outcome outcome = Run(new RankingShare(1, seed: 1), 100, 0.1, 0.01, 0.001);
        Assert.Equal(100 * Examples, outcome.Ranked);
    }

    /// <summary>By their weights the drawn examples stand for all: in total, and each place of a batch alike.</summary>
    [Fact]
    public void Take_Draws_StandForAllExamplesWhereverTheyAre()
    {
        var share = new RankingShare(0.2, seed: 7);
        double[] weights = new double[Examples];
        const int steps = 20_000;
        int batches = 0;
        for (int step = 0; step < steps; step++)
        {
            share.Take(Examples, step);
            foreach (int example in share.Chosen)
            {
                weights[example] += share.Drawn.Weight;
            }

            batches += share.Chosen.Count > 0 ? 1 : 0;
            double ranking = share.Chosen.Count * 0.002;
            share.Measure(0.02 + (share.Chosen.Count > 0 ? 0.02 : 0) + ranking, share.Chosen.Count > 0 ? 0.02 : 0, ranking);
        }

        Assert.InRange(batches, 1_000, steps / 2);
        Assert.InRange(weights.Sum() / (steps * (double)Examples), 0.95, 1.05);
        Assert.All(weights, weight => Assert.InRange(weight / steps, 0.7, 1.3));
    }

    /// <summary>A pattern in the stream must not meet a pattern in the draws.</summary>
    [Fact]
    public void Take_BatchesOfTwoKindsInTurn_DrawsBothAlike()
    {
        var share = new RankingShare(0.2, seed: 3);
        int[] ranked = new int[2];
        for (int step = 0; step < 20_000; step++)
        {
            share.Take(Examples, step);
            ranked[step % 2] += share.Chosen.Count;
            double ranking = share.Chosen.Count * 0.0001;
            double catalogue = share.Chosen.Count > 0 ? 0.01 : 0;
            share.Measure(0.02 + catalogue + ranking, catalogue, ranking);
        }

        Assert.InRange((double)ranked[0] / ranked[1], 0.9, 1.1);
    }

    [Fact]
    public void Take_SameSeedAndCosts_DrawsTheSame()
    {
        Assert.Equal(
            Run(new RankingShare(0.2, seed: 5), 500, 0.01, 0.0005, 0.02),
            Run(new RankingShare(0.2, seed: 5), 500, 0.01, 0.0005, 0.02)
        );
        Assert.NotEqual(
            Run(new RankingShare(0.2, seed: 5), 500, 0.01, 0.0005, 0.02).Places,
            Run(new RankingShare(0.2, seed: 6), 500, 0.01, 0.0005, 0.02).Places
        );
    }

    private static Outcome Run(RankingShare share, int steps, double catalogue, double example, double other)
    {
        var outcome = new Outcome();
        for (int step = 0; step < steps; step++)
        {
            share.Take(Examples, step);
            double encoding = share.Chosen.Count > 0 ? catalogue : 0;
            double ranking = share.Chosen.Count * example;
            share.Measure(other + encoding + ranking, encoding, ranking);
            outcome = new Outcome(
                outcome.Ranking + encoding + ranking,
                outcome.Total + encoding + ranking + other,
                Math.Max(outcome.Longest, encoding + ranking),
                outcome.Ranked + share.Chosen.Count,
                outcome.Places + share.Chosen.Sum(place => (long)place * step)
            );
        }

        return outcome;
    }

    private readonly record struct Outcome(double Ranking, double Total, double Longest, int Ranked, long Places);
}
