using Streaming.Lab.Backtest;
using Streaming.Learning.Cpu;
using Streaming.Learning.Evaluation;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

/// <summary>Metrics of the offline protocols against plain code on a real engine's vectors.</summary>
public class CaseRankerTests
{
    private const int Items = 24;
    private static readonly int[] Cutoffs = [1, 3, 10];

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Rank_RandomCases_EqualPlainCode(bool masked, bool notANumber)
    {
        var model = new ModelOptions
        {
            Widths = [4, 8],
            Layers = 1,
            HistoryLength = 5,
            ItemCapacity = Items,
            BankCapacity = 4,
            FeatureGroups = [new FeatureGroup("f", 2)],
        };
        using var engine = new CpuEngine(model, threads: 1);
        for (int row = 0; row < Items; row++)
        {
            // Rows 3, 4 and 5 are identical items for the model; row 9 overflows.
            engine.InitializeRow(row, row is 4 or 5 ? 3UL : (ulong)row);
            engine.SetFeatures(row, notANumber && row == 9 ? [float.MaxValue, float.MaxValue] : [row is 4 or 5 ? 3 : row, 1]);
        }

        RankingCases cases = Cases(new Random(7));
        using var ranker = new CaseRanker(engine, Items, Cutoffs, threads: 1);
        RankingMetrics[] metrics = ranker.Rank(cases, masked);
        for (int k = 0; k < model.Widths.Count; k++)
        {
            var expected = new RankingMetrics(Cutoffs);
            for (int i = 0; i < cases.Count; i++)
            {
                double[] scores = Scores(engine, cases.Histories[i], model.Widths[k]);
                expected.Add([
                    .. cases
                        .Targets[i]
                        .ToArray()
                        .Select(target => Rank(scores, target, cases.Targets[i], masked ? cases.Histories[i] : [])),
                ]);
            }

            Assert.Equal(cases.Count, metrics[k].Count);
            Assert.All(Cutoffs, cutoff => Assert.Equal(expected.Recall(cutoff), metrics[k].Recall(cutoff), 9));
            Assert.All(Cutoffs, cutoff => Assert.Equal(expected.HitRate(cutoff), metrics[k].HitRate(cutoff), 9));
            Assert.All(Cutoffs, cutoff => Assert.Equal(expected.Ndcg(cutoff), metrics[k].Ndcg(cutoff), 9));
        }
    }

    /// <summary>Histories with repeats, longer than the model reads; targets inside and outside of them.</summary>
    private static RankingCases Cases(Random random)
    {
        var cases = new RankingCases();
        for (int i = 0; i < 120; i++)
        {
            int[] targets = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(Items)).Distinct()];
            cases.Add([.. Enumerable.Range(0, random.Next(0, 12)).Select(_ => random.Next(Items))], targets);
        }

        return cases;
    }

    private static double[] Scores(CpuEngine engine, ReadOnlySpan<int> history, int width)
    {
        int[] rows = history[Math.Max(0, history.Length - engine.Model.HistoryLength)..].ToArray();
        float[] user = new float[engine.Model.Dimension];
        engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, user);
        float[] items = new float[Items * engine.Model.Dimension];
        engine.EncodeItems([.. Enumerable.Range(0, Items)], items);
        return
        [
            .. Enumerable
                .Range(0, Items)
                .Select(item =>
                {
                    // In float32 like the engine, so that the same values overflow.
                    float dot = 0,
                        squares = 0;
                    for (int d = 0; d < width; d++)
                    {
                        float value = items[(item * engine.Model.Dimension) + d];
                        dot += value * user[d];
                        squares += value * value;
                    }

                    // What is tied in the model is tied here too, regardless of the last digits.
                    double score = dot / MathF.Sqrt(squares);
                    return double.IsFinite(score) ? Math.Round(score, 5) : double.NaN;
                }),
        ];
    }

    private static TiedRank Rank(double[] scores, int target, ReadOnlySpan<int> targets, ReadOnlySpan<int> masked)
    {
        if (double.IsNaN(scores[target]) || masked.Contains(target))
        {
            return TiedRank.Missing;
        }

        int above = 0,
            ties = 0;
        for (int item = 0; item < scores.Length; item++)
        {
            if (!targets.Contains(item) && !masked.Contains(item))
            {
                above += scores[item] > scores[target] ? 1 : 0;
                ties += scores[item] == scores[target] ? 1 : 0;
            }
        }

        return new(above, ties);
    }
}
