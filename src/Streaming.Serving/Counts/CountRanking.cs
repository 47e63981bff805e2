using Streaming.Core.Embeddings;

namespace Streaming.Serving.Counts;

/// <summary>
/// Ranks items for a user by counts, and fuses that ranking with another by reciprocal ranks (Cormack, Clarke, Büttcher 2009):
/// an item scores Σ weight / (40 + rank) over the lists that hold it, rank 0 the best, ties at the middle of their ranks.
/// </summary>
/// <remarks>
/// The lists: neighbors, Σ_p 0.8^p · w(h_p, i) over the user's latest items h_0, h_1, … (item-kNN); successors of h_0 at half
/// weight (a first-order Markov chain); and, where items that the user had may be shown again, these, the latest first. The
/// trainer measures the same fusion as "counts" and "fused" (prequential evaluation).
/// </remarks>
public sealed class CountRanking
{
    private readonly Dictionary<ulong, float> _scores = [];

    /// <summary>Gets the fused score of each item that is in a list.</summary>
    public IReadOnlyDictionary<ulong, float> Scores => _scores;

    /// <summary>Adds what was counted with a user's items.</summary>
    /// <param name="history">Hashes of the user's items, oldest first.</param>
    /// <param name="latest">The lists of the newest of them, the newest first; null: there are none.</param>
    /// <param name="excluded">Items that are left out.</param>
    /// <param name="withOwn">Whether the user's own items are a list too.</param>
    public void AddCounts(ReadOnlySpan<ulong> history, IReadOnlyList<RelatedItems?> latest, IReadOnlySet<ulong> excluded, bool withOwn)
    {
        ArgumentNullException.ThrowIfNull(latest);
        ArgumentNullException.ThrowIfNull(excluded);
        Dictionary<ulong, float> scores = [];
        float weight = 1;
        for (int p = 0; p < latest.Count; p++, weight *= CountFusion.HistoryDecay)
        {
            if (latest[p] is { } lists && p < lists.Window)
            {
                Add(scores, lists.Neighbors, weight, excluded);
            }
        }

        AddRanks([.. scores.Select(static pair => (pair.Key, pair.Value))], 1);
        if (latest.Count > 0 && latest[0] is { } newest)
        {
            AddRanks(
                [.. newest.Successors.Where(item => !excluded.Contains(item.Item)).Select(static item => (item.Item, item.Weight))],
                CountFusion.SuccessorWeight
            );
        }

        if (withOwn)
        {
            AddOwn(history, excluded);
        }
    }

    /// <summary>Adds a list that is ranked by scores.</summary>
    /// <param name="items">The items with their scores, higher is better; in any order.</param>
    /// <param name="weight">What the list counts for.</param>
    public void AddRanks(IReadOnlyList<(ulong Item, float Score)> items, float weight)
    {
        ArgumentNullException.ThrowIfNull(items);
        (ulong Item, float Score)[] order = [.. items];
        if (!IsSorted(order))
        {
            Array.Sort(order, static (a, b) => b.Score.CompareTo(a.Score));
        }

        _scores.EnsureCapacity(_scores.Count + order.Length);
        for (int first = 0, end; first < order.Length; first = end)
        {
            for (end = first + 1; end < order.Length && order[end].Score == order[first].Score; end++) { }

            float rank = (first + end - 1) / 2f;
            for (int i = first; i < end; i++)
            {
                _scores[order[i].Item] = _scores.GetValueOrDefault(order[i].Item) + (weight / (CountFusion.RankConstant + rank));
            }
        }
    }

    private static bool IsSorted(ReadOnlySpan<(ulong Item, float Score)> order)
    {
        for (int i = 1; i < order.Length; i++)
        {
            if (order[i].Score > order[i - 1].Score)
            {
                return false;
            }
        }

        return true;
    }

    private static void Add(Dictionary<ulong, float> scores, IReadOnlyList<RelatedItem> items, float weight, IReadOnlySet<ulong> excluded)
    {
        foreach (RelatedItem item in items)
        {
            if (!excluded.Contains(item.Item))
            {
                scores[item.Item] = scores.GetValueOrDefault(item.Item) + (weight * item.Weight);
            }
        }
    }

    private void AddOwn(ReadOnlySpan<ulong> history, IReadOnlySet<ulong> excluded)
    {
        List<(ulong Item, float Score)> own = [];
        HashSet<ulong> seen = [];
        for (int p = history.Length - 1; p >= 0; p--)
        {
            if (!excluded.Contains(history[p]) && seen.Add(history[p]))
            {
                own.Add((history[p], 1f / (own.Count + 1)));
            }
        }

        AddRanks(own, 1);
    }
}
