using Streaming.Kernels.Search;
using Streaming.Learning.Training;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public sealed class InterestRankingTests
{
    private const int D = 12;
    private static readonly int[] Widths = [4, 12];

    /// <summary>Small whole numbers, so that scores are exact and there are many ties; items absent and excluded among them.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    public void Run_RandomUsers_MatchesCountingInFloat64(bool cosine, int vectors)
    {
        const int users = 8,
            items = 90;
        var random = new Random(vectors);
        float[] user = Numbers(users * vectors * D),
            catalogue = Numbers(items * D);
        byte[] present = [.. Enumerable.Range(0, items).Select(_ => (byte)(random.Next(5) == 0 ? 0 : 1))];
        int[] targets = [.. Enumerable.Range(0, users).Select(_ => random.Next(items))];
        int[] excluded = [.. Enumerable.Range(0, users * 4).Select(_ => random.Next(items))],
            offsets = [.. Enumerable.Range(0, users + 1).Select(i => i * 4)];
        int[] above = new int[users * 2],
            ties = new int[users * 2];

        new InterestRanking(Widths, vectors, workers: null).Run(
            new NestedRankingProblem
            {
                Users = user,
                Catalogue = catalogue,
                Present = present,
                Targets = targets,
                Excluded = excluded,
                ExcludedOffsets = offsets,
                Cosine = cosine,
                Above = above,
                Ties = ties,
            }
        );

        for (int u = 0; u < users; u++)
        {
            for (int k = 0; k < 2; k++)
            {
                double target = Score(u, targets[u], k);
                int[] others =
                [
                    .. Enumerable
                        .Range(0, items)
                        .Where(item => item != targets[u] && present[item] == 1 && !excluded.AsSpan(u * 4, 4).Contains(item)),
                ];
                int[] close = [.. others.Where(item => Math.Abs(Score(u, item, k) - target) < 1e-5)];
                int over = others.Count(item => Score(u, item, k) > target && !close.Contains(item));

                // With cosine, scores that are equal in truth may differ in their last digit.
                Assert.InRange(above[(u * 2) + k], over, over + (cosine ? close.Length : 0));
                Assert.InRange(ties[(u * 2) + k], cosine ? 0 : close.Length, close.Length);
            }
        }

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-2, 3))];

        double Score(int u, int item, int k)
        {
            double best = double.NegativeInfinity;
            for (int v = 0; v < vectors; v++)
            {
                double dot = 0,
                    own = 0,
                    norm = 0;
                for (int i = 0; i < Widths[k]; i++)
                {
                    (double x, double y) = (user[((((u * vectors) + v) * D)) + i], catalogue[(item * D) + i]);
                    (dot, own, norm) = (dot + (x * y), own + (x * x), norm + (y * y));
                }

                best = Math.Max(best, cosine ? dot / (Math.Sqrt(own) + 1e-6) / Math.Sqrt(norm + 1e-12) : dot);
            }

            return best;
        }
    }

    [Fact]
    public void Run_TargetWithoutAFiniteScore_IsAboveNothing()
    {
        int[] above = new int[1],
            ties = [5];

        new InterestRanking([4], 1, workers: null).Run(
            new NestedRankingProblem
            {
                Users = [1, 1, 1, 1],
                Catalogue = [float.NaN, 0, 0, 0, 1, 1, 1, 1],
                Targets = [0],
                Excluded = [],
                ExcludedOffsets = [0, 0],
                Above = above,
                Ties = ties,
            }
        );

        Assert.Equal((int.MaxValue, 0), (above[0], ties[0]));
    }
}
