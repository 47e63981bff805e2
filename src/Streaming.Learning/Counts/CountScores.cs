using Streaming.Core.Embeddings;
using Streaming.Learning.Items;

namespace Streaming.Learning.Counts;

/// <summary>Scores of items for a user from <see cref="ItemCounts"/>, written to reusable scratch.</summary>
/// <remarks>
/// Neighbours as in item-kNN: score(i) = Σ_p 0.8^p · n(h_p, i) / √(n(h_p) · n(i)), h_0 the latest of the last
/// <see cref="CountOptions.Window"/> items. Transitions as a first-order Markov chain: score(i) = n(h_0 → i) / n(h_0).
/// </remarks>
internal static class CountScores
{
    /// <summary>Adds the neighbours of a user's latest items.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="items">Maps items to rows.</param>
    /// <param name="history">The user's items, oldest first.</param>
    /// <param name="excluded">Rows to exclude.</param>
    /// <param name="scores">Receives the scores.</param>
    public static void AddNeighbours(ItemCounts counts, ItemTable items, ReadOnlySpan<ulong> history, RowSet excluded, SparseScores scores)
    {
        float weight = 1;
        for (int p = history.Length - 1; p >= Math.Max(0, history.Length - counts.Window); p--, weight *= CountFusion.HistoryDecay)
        {
            int seen = items.Find(history[p]);
            if (seen >= 0)
            {
                Add(counts, items, counts.Neighbours, seen, weight / MathF.Sqrt(Events(counts, seen)), cosine: true, excluded, scores);
            }
        }
    }

    /// <summary>Adds the items that followed the user's latest item.</summary>
    public static void AddSuccessors(ItemCounts counts, ItemTable items, ReadOnlySpan<ulong> history, RowSet excluded, SparseScores scores)
    {
        int latest = history.IsEmpty ? -1 : items.Find(history[^1]);
        if (latest >= 0)
        {
            Add(counts, items, counts.Successors, latest, 1 / Events(counts, latest), cosine: false, excluded, scores);
        }
    }

    /// <summary>Adds the user's own items, the latest first: 1, 1/2, 1/3, ….</summary>
    public static void AddOwnLatest(ItemTable items, ReadOnlySpan<ulong> history, RowSet excluded, SparseScores scores)
    {
        for (int p = history.Length - 1; p >= 0; p--)
        {
            int row = items.Find(history[p]);
            if (row >= 0 && !excluded.Contains(row) && scores[row] == 0)
            {
                scores.Add(row, 1f / (scores.Count + 1));
            }
        }
    }

    private static void Add(
        ItemCounts counts,
        ItemTable items,
        CountLists lists,
        int row,
        float scale,
        bool cosine,
        RowSet excluded,
        SparseScores scores
    )
    {
        ReadOnlySpan<ulong> keys = lists.Keys(row);
        ReadOnlySpan<float> weights = lists.Weights(row);
        ReadOnlySpan<float> errors = lists.Errors(row);
        for (int i = 0; i < keys.Length; i++)
        {
            int item = items.Find(keys[i]);
            if (item >= 0 && !excluded.Contains(item))
            {
                scores.Add(item, scale * (weights[i] - errors[i]) / (cosine ? MathF.Sqrt(Events(counts, item)) : 1));
            }
        }
    }

    /// <summary>At least one event at the current weight: an item may be in a list or a history without an event of its own,
    /// for example a late one.</summary>
    private static float Events(ItemCounts counts, int row) => Math.Max(counts.EventsOf(row), counts.Unit);
}
