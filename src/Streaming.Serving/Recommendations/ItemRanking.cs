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

    /// <summary>Finds the best items.</summary>
    /// <param name="vectors">[n × width], of a user's interests or of an item; an item has the highest of its scores.</param>
    /// <param name="history">Hashes of the items that the lists belong to, oldest first.</param>
    /// <param name="related">The lists of the newest of them, the newest first.</param>
    /// <param name="without">Hashes of the items to leave out. Those that the filter does not admit may be added.</param>
    /// <param name="withOwn">Whether the items of the history are a list too.</param>
    /// <param name="isFused">Whether counts had a part.</param>
    public List<Neighbour> Best(
        float[] vectors,
        ReadOnlySpan<ulong> history,
        RelatedItems?[] related,
        HashSet<ulong> without,
        bool withOwn,
        out bool isFused
    )
    {
        isFused = Array.Exists(related, static lists => lists is not null);
        SearchOptions search = isFused ? _search : _search with { Boosts = query.Boosts };
        List<Neighbour> Vector(RowCondition? full, int most) => Search(vectors, search with { Without = full }, without, most);
        List<Neighbour> Diverse(ItemDiversity rule) => new DiverseRanking(view, rule).Search(query.Count, Vector);
        if (!isFused)
        {
            return query.Diversity is { } limit ? Diverse(limit) : Vector(null, query.Count);
        }

        List<Neighbour> best = Fuse(Vector(null, Math.Max(CountFusion.VectorItems, query.Count)), history, related, without, withOwn);
        return query.Diversity is { } rule ? new DiverseRanking(view, rule).Take(best, query.Count, () => Diverse(rule)) : best;
    }

    /// <summary>The best items over all vectors, each with its highest score.</summary>
    private List<Neighbour> Search(float[] vectors, SearchOptions search, HashSet<ulong> without, int count)
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
        List<Neighbour> best = new(query.Count);
        float[] scratch = new float[query.Width];
        IEnumerable<(ulong Item, float Score)> order = ranking
            .Scores.Select(pair => (Item: pair.Key, Score: boosts is null ? pair.Value : view.Boosted(pair.Key, boosts, pair.Value)))
            .OrderByDescending(static item => item.Score)
            .ThenBy(static item => item.Item);
        foreach ((ulong item, float score) in order)
        {
            // Counted, and not in the index: removed, or not published yet.
            if (view.TryRead(item, scratch, out string id, out _))
            {
                best.Add(new Neighbour(id, score));
            }

            if (best.Count == query.Count && query.Diversity is null)
            {
                break;
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
