using Streaming.Kernels.Parallel;
using Streaming.Kernels.Search;
using Xunit;

namespace Streaming.Kernels.Tests.Search;

public class NestedRankingTests
{
    [Theory]
    [InlineData(1, 1, new[] { 4 })]
    [InlineData(33, 65, new[] { 4, 12, 20 })]
    [InlineData(70, 500, new[] { 8, 16, 32 })]
    [InlineData(5, 129, new[] { 3 })]
    public void Run_RandomUsers_MatchesCountingInFloat64(int users, int items, int[] widths)
    {
        foreach (bool cosine in new[] { false, true })
        {
            foreach (bool restricted in new[] { false, true })
            {
                Check(users, items, widths, cosine, restricted);
            }
        }
    }

    [Fact]
    public void Run_EqualVectors_TieWhereverTheyStand()
    {
        using Workers workers = new(2);
        int items = 200;
        float[] catalogue = RandomFloats.Normal(items * 20, 1),
            user = RandomFloats.Normal(20, 2);
        foreach (int copy in new[] { 0, 63, 64, 130, 197, 199 })
        {
            catalogue.AsSpan(100 * 20, 20).CopyTo(catalogue.AsSpan(copy * 20));
        }

        foreach (bool cosine in new[] { false, true })
        {
            foreach (int target in new[] { 0, 100, 130, 199 })
            {
                int[] above = new int[2],
                    ties = new int[2];
                new NestedRanking([12, 20], workers).Run(
                    new NestedRankingProblem
                    {
                        Users = user,
                        Catalogue = catalogue,
                        Targets = [target],
                        Cosine = cosine,
                        Above = above,
                        Ties = ties,
                    }
                );
                Assert.Equal([6, 6], ties);
            }
        }
    }

    /// <summary>Nothing is greater than NaN: counting alone would rank such a target first.</summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Run_ScoreNotFinite_IsAboveNothingAndLastItself(float bad)
    {
        float[] catalogue = RandomFloats.Normal(100 * 8, 1),
            users = RandomFloats.Normal(3 * 8, 2);
        catalogue[(7 * 8) + 5] = bad;
        users[(2 * 8) + 5] = float.NaN;
        int[] above = new int[6],
            ties = new int[6];
        new NestedRanking([4, 8]).Run(
            new NestedRankingProblem
            {
                Users = users,
                Catalogue = catalogue,
                Targets = [7, 20, 20],
                Above = above,
                Ties = ties,
            }
        );
        Assert.InRange(above[0], 0, 99);
        Assert.Equal((int.MaxValue, 0), (above[1], ties[1]));
        Assert.InRange(above[3], 0, 99);
        Assert.InRange(above[4], 0, 99);
        Assert.Equal((int.MaxValue, 0), (above[5], ties[5]));
    }

    [Fact]
    public void Run_SteadyState_AllocatesNothing()
    {
        using Workers workers = new(2);
        NestedRanking ranking = new([8, 16], workers);
        float[] catalogue = RandomFloats.Normal(100 * 16, 1),
            users = RandomFloats.Normal(40 * 16, 2);
        int[] above = new int[80],
            ties = new int[80],
            targets = new int[40];
        void Once() =>
            ranking.Run(
                new NestedRankingProblem
                {
                    Users = users,
                    Catalogue = catalogue,
                    Targets = targets,
                    Cosine = true,
                    Above = above,
                    Ties = ties,
                }
            );
        Assert.Equal(0, Allocations.OfARun(Once));
    }

    [Fact]
    public void Run_TargetOutsideTheCatalogue_IsNamed()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() =>
            new NestedRanking([4]).Run(
                new NestedRankingProblem
                {
                    Users = new float[4],
                    Catalogue = new float[8],
                    Targets = [2],
                    Above = new int[1],
                    Ties = new int[1],
                }
            )
        );
        Assert.Equal("Targets contains row 2; the catalogue has rows 0 … 1.", thrown.Message);
    }

    private static void Check(int users, int items, int[] widths, bool cosine, bool restricted)
    {
        int dimension = widths[^1];
        Random random = new(users);
        float[] catalogue = RandomFloats.Normal(items * dimension, 1),
            vectors = RandomFloats.Normal(users * dimension, 2);
        int[] targets = [.. Enumerable.Range(0, users).Select(_ => random.Next(items))];
        byte[] present = restricted ? [.. Enumerable.Range(0, items).Select(i => (byte)(i % 5 == 1 ? 0 : 1))] : [];
        int[] excluded = restricted ? [.. Enumerable.Range(0, users * 3).Select(_ => random.Next(items))] : [];
        int[] offsets = restricted ? [.. Enumerable.Range(0, users + 1).Select(i => 3 * i)] : [];
        int[] above = new int[users * widths.Length],
            ties = new int[users * widths.Length];
        new NestedRanking(widths).Run(
            new NestedRankingProblem
            {
                Users = vectors,
                Catalogue = catalogue,
                Targets = targets,
                Present = present,
                Excluded = excluded,
                ExcludedOffsets = offsets,
                Cosine = cosine,
                Above = above,
                Ties = ties,
            }
        );
        for (int user = 0; user < users; user++)
        {
            for (int k = 0; k < widths.Length; k++)
            {
                double target = Score(user, targets[user], widths[k]);
                int expected = Enumerable
                    .Range(0, items)
                    .Count(item =>
                        item != targets[user]
                        && (!restricted || (present[item] != 0 && !excluded.AsSpan(3 * user, 3).Contains(item)))
                        && Score(user, item, widths[k]) > target
                    );
                Assert.Equal(expected, above[(user * widths.Length) + k]);
                Assert.Equal(0, ties[(user * widths.Length) + k]);
            }
        }

        double Score(int user, int item, int width)
        {
            double dot = 0,
                squares = 0;
            for (int d = 0; d < width; d++)
            {
                dot += (double)vectors[(user * dimension) + d] * catalogue[(item * dimension) + d];
                squares += (double)catalogue[(item * dimension) + d] * catalogue[(item * dimension) + d];
            }

            return cosine ? dot / Math.Sqrt(squares) : dot;
        }
    }
}
