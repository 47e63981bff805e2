using System.Buffers;
using System.Numerics.Tensors;
using Streaming.Core.Embeddings;
using Streaming.Serving.Counts;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>
/// Ranks the items of a view by vectors, and fuses that ranking with counts (<see cref="CountRanking"/>) where there are any: the one
/// rule of recommendations, of an item's neighbours and of "because of".
/// </summary>
internal sealed class ItemRanking(IndexView view, ItemQuery query, bool cosine)
{
    private readonly SearchOptions _search = new()
    {
        Width = query.Width,
        Cosine = cosine,
        Shortlist = query.Shortlist,
        Narrow = query.Narrow,
        Filter = query.Filter,
    };

    /// <summary>Finds the vector's part of a fused ranking, which needs no counts: so they can be read meanwhile.</summary>
    /// <param name="vectors">[n × width], of a user's interests or of an item; an item has the highest of its scores.</param>
    /// <param name="without">Hashes of the items to leave out.</param>
    public List<Neighbour> Candidates(float[] vectors, IReadOnlySet<ulong> without) =>
        Search(vectors, _search, without, Math.Max(CountFusion.VectorItems, query.Count));

    /// <summary>Finds the best items.</summary>
    /// <param name="vectors">As for the candidates.</param>
    /// <param name="candidates">The candidates, where they are known; null: they are not.</param>
    /// <param name="history">Hashes of the items that the lists belong to, oldest first.</param>
    /// <param name="related">The lists of the newest of them, the newest first.</param>
    /// <param name="without">Hashes of the items to leave out. Those that the filter does not admit may be added.</param>
    /// <param name="withOwn">Whether the items of the history are a list too.</param>
    /// <param name="isFused">Whether counts had a part.</param>
    public List<Neighbour> Best(
        float[] vectors,
        List<Neighbour>? candidates,
        ReadOnlySpan<ulong> history,
        RelatedItems?[] related,
        HashSet<ulong> without,
        bool withOwn,
        out bool isFused
    )
    {
        isFused = Array.Exists(related, static lists => lists is not null);
        if (!isFused)
        {
            return ByVector(vectors, candidates, without);
        }

        List<Neighbour> best = Fuse(candidates ?? Candidates(vectors, without), history, related, without, withOwn);
        return query.Diversity is { } rule
            ? new DiverseRanking(view, rule).Take(best, query.Count, () => Diverse(vectors, _search, without, rule))
            : best;
    }

    private List<Neighbour> ByVector(float[] vectors, List<Neighbour>? candidates, HashSet<ulong> without)
    {
        if (candidates is not null && query is { Boosts.Count: 0, Diversity: null })
        {
            candidates.RemoveRange(Math.Min(query.Count, candidates.Count), Math.Max(0, candidates.Count - query.Count));
            return candidates;
        }

        SearchOptions search = _search with { Boosts = query.Boosts };
        return query.Diversity is { } rule ? Diverse(vectors, search, without, rule) : Search(vectors, search, without, query.Count);
    }

    private List<Neighbour> Diverse(float[] vectors, SearchOptions search, HashSet<ulong> without, ItemDiversity rule) =>
        new DiverseRanking(view, rule).Search(query.Count, (full, most) => Search(vectors, search with { Without = full }, without, most));

    /// <summary>The best items over all vectors, each with its highest score.</summary>
    private List<Neighbour> Search(float[] vectors, SearchOptions search, IReadOnlySet<ulong> without, int count)
    {
        HashSet<ulong> taken = [.. without];
        int width = search.Width,
            most = count + taken.Count;
        Neighbour[] found = ArrayPool<Neighbour>.Shared.Rent(most);
        List<Neighbour> best = [];
        for (int at = 0; at < vectors.Length; at += width)
        {
            ReadOnlySpan<float> vector = vectors.AsSpan(at, width);
            float length = search.Cosine ? TensorPrimitives.Norm(vector) : 1;
            int items = view.Search(vector, in search, found.AsSpan(0, most));
            foreach (ref readonly Neighbour item in found.AsSpan(0, items))
            {
                best.Add(item with { Score = length > 0 ? item.Score / length : 0 });
            }
        }

        ArrayPool<Neighbour>.Shared.Return(found, clearArray: true);
        if (vectors.Length > width)
        {
            best.Sort(static (a, b) => b.Score.CompareTo(a.Score));
        }

        best.RemoveAll(item => !taken.Add(RedisKeys.Hash(item.Id)));
        best.RemoveRange(Math.Min(count, best.Count), Math.Max(0, best.Count - count));
        return best;
    }

    private List<Neighbour> Fuse(
        List<Neighbour> vector,
        ReadOnlySpan<ulong> history,
        RelatedItems?[] related,
        HashSet<ulong> without,
        bool withOwn
    )
    {
        if (view.Prepare(query.Filter) is { } filter)
        {
            LeaveOut(filter, history, related, without);
        }

        CountRanking ranking = new();
        ranking.AddCounts(history, related, without, withOwn);
        ranking.AddRanks([.. vector.Select(static item => (RedisKeys.Hash(item.Id), item.Score))], 1);
        RowFilter? boosts = view.Prepare(null, query.Boosts);
        // Best first, of equal ones the lower hash. A heap: few of them are taken.
        PriorityQueue<ulong, (float Cost, ulong Item)> order = new(
            ranking.Scores.Select(pair =>
                (pair.Key, (-(boosts is null ? pair.Value : view.Boosted(pair.Key, boosts, pair.Value)), pair.Key))
            )
        );
        List<Neighbour> best = new(query.Count);
        while ((best.Count < query.Count || query.Diversity is not null) && order.TryDequeue(out ulong item, out (float Cost, ulong) place))
        {
            // Counted, and not in the index: removed, or not published yet.
            if (view.TryRead(item, [], out string id, out _))
            {
                best.Add(new Neighbour(id, -place.Cost));
            }
        }

        return best;
    }

    /// <summary>Leaves out what the filter does not admit, before ranks are given: an item's rank is that among those that pass.</summary>
    private void LeaveOut(RowFilter filter, ReadOnlySpan<ulong> history, RelatedItems?[] related, HashSet<ulong> without)
    {
        IEnumerable<ulong> counted = related
            .OfType<RelatedItems>()
            .SelectMany(static lists => lists.Neighbors.Concat(lists.Successors))
            .Select(static item => item.Item);
        without.UnionWith([.. counted.Concat(history.ToArray()).Distinct().Where(item => !view.Admits(item, filter))]);
    }
}
