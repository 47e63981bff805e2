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

    /// <summary>The sinks get every row that competes and the user's own, and miss none of the best: several panels and tiles, rows that
    /// are unused, excluded, equal to others, or NaN.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_Best_CollectsTheBestRowsOfEachWidthBesideTheSameRanks(bool cosine)
    {
        const int users = 40,
            items = 700,
            d = 20;
        int[] widths = [12, 20];
        float[] catalogue = RandomFloats.Normal(items * d, 1),
            vectors = RandomFloats.Normal(users * d, 2);
        catalogue.AsSpan(0, 30 * d).CopyTo(catalogue.AsSpan(300 * d));
        catalogue[(5 * d) + 3] = float.NaN;
        byte[] present = [.. Enumerable.Range(0, items).Select(row => (byte)(row % 9 == 4 ? 0 : 1))];
        int[] targets = [.. Enumerable.Range(0, users).Select(user => 10 + user)],
            own = [.. Enumerable.Range(0, users).Select(user => user % 3 == 0 ? -1 : 100 + user)],
            excluded = [.. Enumerable.Range(0, users).SelectMany(user => new[] { 200 + user, 650 - user })],
            offsets = [.. Enumerable.Range(0, users + 1).Select(user => 2 * user)];
        int[] above = new int[users * 2],
            ties = new int[users * 2],
            aboveAlone = new int[users * 2],
            tiesAlone = new int[users * 2];
        Best[] best = [.. Enumerable.Range(0, users * 2).Select(_ => new Best(8))];
        using Workers workers = new(2);
        NestedRanking ranking = new(widths, workers);
        var problem = new NestedRankingProblem
        {
            Users = vectors,
            Catalogue = catalogue,
            Present = present,
            Targets = targets,
            Own = own,
            Excluded = excluded,
            ExcludedOffsets = offsets,
            Cosine = cosine,
            Above = aboveAlone,
            Ties = tiesAlone,
        };
        ranking.Run(problem);
        problem.Above = above;
        problem.Ties = ties;
        problem.Best = best;
        ranking.Run(problem);

        Assert.Equal(aboveAlone, above);
        Assert.Equal(tiesAlone, ties);
        for (int user = 0; user < users; user++)
        {
            for (int k = 0; k < 2; k++)
            {
                double[] scores =
                [
                    .. Enumerable
                        .Range(0, items)
                        .Select(row =>
                            present[row] == 0 || row == excluded[2 * user] || row == excluded[(2 * user) + 1]
                                ? double.NaN
                                : Score(catalogue, vectors, row, user, widths[k], d, cosine)
                        ),
                ];
                double[] expected = [.. scores.Where(score => !double.IsNaN(score)).OrderDescending().Take(8)];
                Best found = best[(user * 2) + k];
                Assert.Equal(8, found.Rows.Count);
                Assert.All(found.Rows.Zip(expected), pair => Assert.Equal(pair.Second, scores[pair.First.Row], 1e-4));
                Assert.Equal(8, found.Rows.Select(static row => row.Row).Distinct().Count());
            }
        }

        // What is not counted is still offered: the own row is the best of this user when it is the user.
        vectors.AsSpan(d, d).CopyTo(catalogue.AsSpan(101 * d));
        best = [.. Enumerable.Range(0, users * 2).Select(_ => new Best(8))];
        problem.Best = best;
        ranking.Run(problem);
        Assert.Contains(best[3].Rows, row => row.Row == 101);
    }

    private static double Score(float[] catalogue, float[] users, int row, int user, int width, int d, bool cosine)
    {
        double dot = 0,
            squares = 0;
        for (int i = 0; i < width; i++)
        {
            dot += (double)catalogue[(row * d) + i] * users[(user * d) + i];
            squares += (double)catalogue[(row * d) + i] * catalogue[(row * d) + i];
        }

        return cosine ? dot / Math.Sqrt(squares) : dot;
    }

    /// <summary>The best rows, best first.</summary>
    private sealed class Best(int length) : ScoreSink
    {
        public List<(int Row, float Score)> Rows { get; } = [];

        public override void Offer(int row, float score)
        {
            Assert.True(score >= Threshold, "a row below the threshold was offered");
            Rows.Add((row, score));
            Rows.Sort(static (a, b) => b.Score.CompareTo(a.Score));
            if (Rows.Count > length)
            {
                Rows.RemoveAt(length);
            }

            Threshold = Rows.Count == length ? Rows[^1].Score : Threshold;
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
