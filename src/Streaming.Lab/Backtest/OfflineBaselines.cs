using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>Baselines on a split, to compare models with.</summary>
internal static class OfflineBaselines
{
    /// <summary>Popularity, item-kNN, Markov, the sum of the last two, and the user's most recent items.</summary>
    public static IEnumerable<StreamingBaseline> Create() =>
        [
            new RecentPopularity(double.PositiveInfinity),
            new IncrementalItemKnn(window: int.MaxValue),
            new IncrementalMarkov(),
            new SummedBaselines("knn+markov", new IncrementalItemKnn(window: int.MaxValue), new IncrementalMarkov()),
            new OwnLatest(),
        ];

    /// <summary>Trains a baseline on the training sequences and the validation cases, and ranks the test cases.</summary>
    /// <remarks>Nothing about a baseline is chosen by validation, so those items may make it stronger.</remarks>
    public static (RankingMetrics Unmasked, RankingMetrics Masked) Measure(
        StreamingBaseline baseline,
        OfflineSplit split,
        IReadOnlyList<int> cutoffs
    )
    {
        for (int user = 0; user < split.Train.Count; user++)
        {
            ReadOnlySpan<int> sequence = split.Train[user];
            ReadOnlySpan<float> weights = split.TrainWeights[user];
            for (int i = 0; i < sequence.Length; i++)
            {
                if (weights[i] > 0)
                {
                    baseline.Update(user, sequence[..i], sequence[i]);
                }
            }
        }

        for (int i = 0; i < split.Validation.Count; i++)
        {
            foreach (int target in split.Validation.Targets[i])
            {
                baseline.Update(i, split.Validation.Histories[i], target);
            }
        }

        return (Rank(baseline, split.Test, cutoffs, maskHistory: false), Rank(baseline, split.Test, cutoffs, maskHistory: true));
    }

    private static RankingMetrics Rank(StreamingBaseline baseline, RankingCases cases, IReadOnlyList<int> cutoffs, bool maskHistory)
    {
        var metrics = new RankingMetrics(cutoffs);
        for (int i = 0; i < cases.Count; i++)
        {
            ReadOnlySpan<int> history = cases.Histories[i];
            int[] targets = cases.Targets[i].ToArray();
            int[] excluded = maskHistory ? [.. history, .. targets] : targets;
            var ranks = new TiedRank[targets.Length];
            for (int t = 0; t < ranks.Length; t++)
            {
                ranks[t] =
                    maskHistory && history.Contains(targets[t]) ? TiedRank.Missing : baseline.Rank(user: 0, history, targets[t], excluded);
            }

            metrics.Add(ranks);
        }

        return metrics;
    }
}
