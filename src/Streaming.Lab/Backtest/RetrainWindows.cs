using System.Runtime.InteropServices;
using Streaming.Learning.Items;

namespace Streaming.Lab.Backtest;

/// <summary>The training set of a scheduled training: every event before a moment is predicted once from the user's earlier ones.</summary>
/// <remarks>
/// A user with more events than the model reads is cut into windows of L + 1 items. Each begins half a history earlier than its
/// first prediction, so that no prediction loses its context.
/// </remarks>
internal static class RetrainWindows
{
    /// <summary>Cuts the events before a moment into windows.</summary>
    /// <param name="log">All events, with times.</param>
    /// <param name="moment">Unix milliseconds; events at or after it are left out.</param>
    /// <param name="historyLength">Items that the model reads, L.</param>
    /// <param name="keys">Key of each item of the log.</param>
    /// <param name="table">The items with a row; others are inputs only, by the fallback row that they share.</param>
    public static OfflineSplit Before(InteractionLog log, long moment, int historyLength, ulong[] keys, ItemTable table)
    {
        var split = new OfflineSplit(new JaggedList(), new WeightList(), new RankingCases(), new RankingCases(), table.Capacity);
        var items = new List<int>();
        var weights = new List<float>();
        for (int user = 0; user < log.Sequences.Count; user++)
        {
            items.Clear();
            weights.Clear();
            ReadOnlySpan<int> sequence = log.Sequences[user];
            ReadOnlySpan<float> weightsOf = log.WeightsOf(user);
            long[] times = log.Times![user];
            for (int i = 0; i < sequence.Length && times[i] < moment; i++)
            {
                ulong key = keys[sequence[i]];
                items.Add(table.RowOf(key));
                weights.Add(table.Find(key) >= 0 ? weightsOf[i] : 0);
            }

            Cut(CollectionsMarshal.AsSpan(items), CollectionsMarshal.AsSpan(weights), historyLength, split);
        }

        return split;
    }

    private static void Cut(ReadOnlySpan<int> items, ReadOnlySpan<float> weights, int historyLength, OfflineSplit split)
    {
        int length = historyLength + 1;
        for (int first = 0, predicted = 0; predicted < items.Length; first = predicted - (length / 2))
        {
            int end = Math.Min(items.Length, first + length);
            float[] window = weights[first..end].ToArray();
            window.AsSpan(0, predicted - first).Clear();
            if (window.AsSpan().ContainsAnyExcept(0f))
            {
                split.Train.Add(items[first..end]);
                split.TrainWeights.Add(window);
            }

            predicted = end;
        }
    }
}
