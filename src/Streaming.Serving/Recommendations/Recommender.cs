using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics.Tensors;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Serving.Counts;
using Streaming.Serving.Filters;
using Streaming.Serving.Lookups;
using Streaming.Serving.Search;
using Streaming.Serving.Towers;

namespace Streaming.Serving.Recommendations;

/// <summary>
/// Recommends items: the user tower encodes recent items to a vector, and an exact search over the index finds the items with the
/// highest with it; where the trainer publishes counts, that ranking is fused with theirs. Tower and index are of one generation: the
/// index's, until it has loaded another. Safe for any number of callers at a time.
/// </summary>
/// <example>
/// <code>
/// Recommender recommender = new(redis.GetDatabase(), options, index, TimeProvider.System);   // refresh the index every second or so
/// RecommendationQuery query = new() { Width = 32, Count = 20 };
/// Recommendation? shown = await recommender.ForUserAsync("ann", query, cancellationToken);
/// shown = await recommender.ForItemsAsync(["item-1", "item-2"], query, cancellationToken);   // a session of one's own
/// </code>
/// </example>
public sealed class Recommender
{
    /// <summary>The most lists of a user's items that are read.</summary>
    private const int MaxWindow = 16;

    private readonly ServingOptions _options;
    private readonly EmbeddingIndex _index;
    private readonly UserHistoryReader _histories;
    private readonly IDatabase _database;
    private readonly TimeProvider _time;
    private volatile TowersOfGeneration _towers;

    /// <summary>Initializes a new instance of the <see cref="Recommender"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">The model to read.</param>
    /// <param name="index">The items; the owner keeps it fresh.</param>
    /// <param name="time">The time.</param>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public Recommender(IDatabase database, ServingOptions options, EmbeddingIndex index, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(time);
        _options = options;
        _index = index;
        _histories = new UserHistoryReader(database, options, time);
        _database = database;
        _time = time;
        _towers = new TowersOfGeneration(
            0,
            new UserTowerReader(database, options, time),
            new RelatedItemsReader(database, options, time),
            new()
        );
    }

    /// <summary>Recommends from a user's published items and those of the query's session; a user without any gets the recommendations of a
    /// new user.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Null when no user tower is published.</returns>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    /// <exception cref="TowerMismatchException">The tower is of another generation than the items, or lacks this width.</exception>
    /// <exception cref="EmbeddingFormatException">The stored user history is invalid.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    public async Task<Recommendation?> ForUserAsync(string user, RecommendationQuery query, CancellationToken cancellationToken = default)
    {
        IndexView view = Check(query);
        if (await TowerAsync(view, query.Width, cancellationToken).ConfigureAwait(false) is not { } tower)
        {
            return null;
        }

        ulong[] items = ArrayPool<ulong>.Shared.Rent(UserHistoryValue.MaxItems);
        try
        {
            ReadOnlyMemory<ulong> seen = await SeenAsync(user, query, items, cancellationToken).ConfigureAwait(false);
            RelatedItems?[] related = await RelatedAsync(view, seen, query, cancellationToken).ConfigureAwait(false);
            return Recommend(view, tower, seen.Span, related, query);
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(items);
        }
    }

    /// <summary>Recommends by lists, each because of one of the user's latest items: those nearest to it. Needs no user tower.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="query">Width, count of each list, exclusions, filter. Its counts are not used.</param>
    /// <param name="lists">The maximum number of lists, 1 and up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The lists, that of the latest item first; none for a user without an item that has an embedding. No item is in two
    /// lists.</returns>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    /// <exception cref="EmbeddingFormatException">The stored user history is invalid.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    public async Task<IReadOnlyList<BecauseList>> BecauseAsync(
        string user,
        RecommendationQuery query,
        int lists,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(lists, 1);
        IndexView view = Check(query);
        ulong[] items = ArrayPool<ulong>.Shared.Rent(UserHistoryValue.MaxItems);
        try
        {
            ReadOnlyMemory<ulong> seen = await SeenAsync(user, query, items, cancellationToken).ConfigureAwait(false);
            return Because(view, seen.Span, query, lists);
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(items);
        }
    }

    /// <summary>Recommends from items that the caller names, for a tier with its own sessions.</summary>
    /// <param name="items">Ids, oldest first. The newest ones, up to the model's history length, make the user's vector; all are excluded
    /// if seen items are. Unknown ids are ignored.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Null when no user tower is published.</returns>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    /// <exception cref="TowerMismatchException">The tower is of another generation than the items, or lacks this width.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    public async Task<Recommendation?> ForItemsAsync(
        IReadOnlyList<string> items,
        RecommendationQuery query,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        IndexView view = Check(query);
        if (await TowerAsync(view, query.Width, cancellationToken).ConfigureAwait(false) is not { } tower)
        {
            return null;
        }

        ulong[] keys = [.. items.Select(RedisKeys.Hash)];
        RelatedItems?[] related = await RelatedAsync(view, keys, query, cancellationToken).ConfigureAwait(false);
        return Recommend(view, tower, keys, related, query);
    }

    /// <summary>The user's published items, continued by the session, oldest first.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="query">The session.</param>
    /// <param name="items">Room for the published ones.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    private async Task<ReadOnlyMemory<ulong>> SeenAsync(
        string user,
        RecommendationQuery query,
        Memory<ulong> items,
        CancellationToken cancellationToken
    )
    {
        int known = await _histories.ReadAsync(user, items, cancellationToken).ConfigureAwait(false);
        return query.Session.Count == 0 ? items[..known] : SessionHistory.Continue(items.Span[..known], query.Session);
    }

    private static List<BecauseList> Because(IndexView view, ReadOnlySpan<ulong> seen, RecommendationQuery query, int lists)
    {
        List<BecauseList> found = [];
        HashSet<ulong> without = [.. query.Exclude.Select(RedisKeys.Hash)];
        if (query.ExcludeSeen)
        {
            without.UnionWith([.. seen]);
        }

        HashSet<ulong> asked = [];
        float[] vector = new float[query.Width];
        SearchOptions search = new()
        {
            Width = query.Width,
            Cosine = true,
            Shortlist = query.Shortlist,
            Narrow = query.Narrow,
            Filter = query.Filter,
            Boosts = query.Boosts,
        };
        for (int i = seen.Length - 1; i >= 0 && found.Count < lists; i--)
        {
            if (!asked.Add(seen[i]) || !view.TryRead(seen[i], vector, out string id, out _))
            {
                continue;
            }

            HashSet<ulong> leftOut = [.. without, seen[i]];
            List<Neighbour> Vector(RowCondition? full, int most) => Search(view, vector, search with { Without = full }, leftOut, most);
            List<Neighbour> near = query.Diversity is { } rule
                ? new DiverseRanking(view, rule).Search(query.Count, Vector)
                : Vector(null, query.Count);
            if (near.Count > 0)
            {
                found.Add(new BecauseList(id, near));
                without.UnionWith([.. near.Select(static item => RedisKeys.Hash(item.Id))]);
            }
        }

        return found;
    }

    /// <summary>Before anything is read: a filter that fits no field is the caller's error, whatever the store says.</summary>
    /// <returns>The items to recommend from.</returns>
    private IndexView Check(RecommendationQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Count, 1, nameof(query));
        IndexView view = query.View ?? _index.Current;
        view.Prepare(query.Filter, query.Boosts);
        _ = query.Diversity is null ? null : new DiverseRanking(view, query.Diversity);
        return view;
    }

    /// <summary>The newest tower of a width, of the items' generation; checked as often as the active generation. While the store is
    /// unavailable, the last one is used.</summary>
    private async ValueTask<LoadedTower?> TowerAsync(IndexView view, int width, CancellationToken cancellationToken)
    {
        if (view.Generation == 0)
        {
            return null;
        }

        TowersOfGeneration towers = Towers(view.Generation);
        if (towers.Loaded.TryGetValue(width, out LoadedTower? last) && _time.GetElapsedTime(last.ReadAt) < _options.PointerLifetime)
        {
            return last;
        }

        long now = _time.GetTimestamp();
        try
        {
            if (await towers.Reader.ReadAsync(width, cancellationToken).ConfigureAwait(false) is not { } model)
            {
                return last;
            }

            return towers.Loaded[width] = ReferenceEquals(model, last?.Model) ? last!.Renewed(now) : new LoadedTower(model, now);
        }
        catch (Exception exception)
            when (last is not null && exception is RedisException or TimeoutException or FormatException or KeyLayoutException)
        {
            return last;
        }
    }

    private TowersOfGeneration Towers(uint generation)
    {
        TowersOfGeneration towers = _towers;
        if (towers.Generation != generation)
        {
            _towers = towers = new TowersOfGeneration(
                generation,
                new UserTowerReader(_database, _options with { Generation = generation }, _time),
                new RelatedItemsReader(_database, _options with { Generation = generation }, _time),
                new()
            );
        }

        return towers;
    }

    /// <summary>
    /// The lists of the newest items, the newest first; none while the store cannot be read: then the vector alone ranks.
    /// </summary>
    private async Task<RelatedItems?[]> RelatedAsync(
        IndexView view,
        ReadOnlyMemory<ulong> history,
        RecommendationQuery query,
        CancellationToken cancellationToken
    )
    {
        if (!query.Counts || history.IsEmpty)
        {
            return [];
        }

        ulong[] newest = history[Math.Max(0, history.Length - MaxWindow)..].ToArray();
        Array.Reverse(newest);
        try
        {
            return await Towers(view.Generation).Related.ReadAsync(newest, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return [];
        }
    }

    private static Recommendation Recommend(
        IndexView view,
        LoadedTower tower,
        ReadOnlySpan<ulong> seen,
        RelatedItems?[] related,
        RecommendationQuery query
    )
    {
        int width = tower.Model.Width;
        ReadOnlySpan<ulong> keys = seen[Math.Max(0, seen.Length - tower.Model.Model.HistoryLength)..];
        float[] vectors = ArrayPool<float>.Shared.Rent(keys.Length * width);
        try
        {
            List<string> history = new(keys.Length);
            view.Read(keys, width, vectors, history);
            float[] users = tower.Encode(vectors.AsSpan(0, history.Count * width));
            HashSet<ulong> without = [.. query.Exclude.Select(RedisKeys.Hash)];
            if (query.ExcludeSeen)
            {
                without.UnionWith([.. seen]);
            }

            bool isFused = Array.Exists(related, static lists => lists is not null);
            int count = isFused ? Math.Max(CountFusion.VectorItems, query.Count) : query.Count;
            SearchOptions search = new()
            {
                Width = query.Width,
                Cosine = tower.Model.Model.Cosine,
                Shortlist = query.Shortlist,
                Narrow = query.Narrow,
                Filter = query.Filter,
                Boosts = isFused ? null : query.Boosts,
            };
            List<Neighbour> Vector(RowCondition? full, int most) => Search(view, users, search with { Without = full }, without, most);
            List<Neighbour> Diverse(ItemDiversity rule) => new DiverseRanking(view, rule).Search(query.Count, Vector);
            List<Neighbour> best =
                isFused ? Fuse(view, Vector(null, count), seen, related, query, without, Diverse)
                : query.Diversity is { } rule ? Diverse(rule)
                : Vector(null, count);
            return new Recommendation(tower.Model.Version, history, best, isFused);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(vectors);
        }
    }

    /// <summary>The best items over all interests, each with its highest score.</summary>
    private static List<Neighbour> Search(IndexView view, float[] users, SearchOptions search, HashSet<ulong> without, int count)
    {
        HashSet<ulong> taken = [.. without];
        int width = search.Width,
            most = count + taken.Count;
        Neighbour[] found = ArrayPool<Neighbour>.Shared.Rent(most);
        List<Neighbour> best = [];
        for (int at = 0; at < users.Length; at += width)
        {
            ReadOnlySpan<float> user = users.AsSpan(at, width);
            float length = search.Cosine ? TensorPrimitives.Norm(user) : 1;
            int items = view.Search(user, in search, found.AsSpan(0, most));
            foreach (ref readonly Neighbour item in found.AsSpan(0, items))
            {
                best.Add(item with { Score = length > 0 ? item.Score / length : 0 });
            }
        }

        ArrayPool<Neighbour>.Shared.Return(found, clearArray: true);
        if (users.Length > width)
        {
            best.Sort(static (a, b) => b.Score.CompareTo(a.Score));
        }

        best.RemoveAll(item => !taken.Add(RedisKeys.Hash(item.Id)));
        best.RemoveRange(Math.Min(count, best.Count), Math.Max(0, best.Count - count));
        return best;
    }

    private static List<Neighbour> Fuse(
        IndexView view,
        List<Neighbour> vector,
        ReadOnlySpan<ulong> seen,
        RelatedItems?[] related,
        RecommendationQuery query,
        HashSet<ulong> without,
        Func<ItemDiversity, List<Neighbour>> diverse
    )
    {
        if (view.Prepare(query.Filter) is { } filter)
        {
            LeaveOut(view, filter, seen, related, without);
        }

        CountRanking ranking = new();
        ranking.AddCounts(seen, related, without, withOwn: !query.ExcludeSeen);
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

        return query.Diversity is { } rule ? new DiverseRanking(view, rule).Take(best, query.Count, () => diverse(rule)) : best;
    }

    /// <summary>Leaves out what the filter does not admit, before ranks are given: an item's rank is that among those that pass.</summary>
    private static void LeaveOut(
        IndexView view,
        RowFilter filter,
        ReadOnlySpan<ulong> seen,
        RelatedItems?[] related,
        HashSet<ulong> without
    )
    {
        IEnumerable<ulong> counted = related
            .OfType<RelatedItems>()
            .SelectMany(static lists => lists.Neighbors.Concat(lists.Successors))
            .Select(static item => item.Item);
        without.UnionWith([.. counted.Concat(seen.ToArray()).Distinct().Where(item => !view.Admits(item, filter))]);
    }

    private sealed record TowersOfGeneration(
        uint Generation,
        UserTowerReader Reader,
        RelatedItemsReader Related,
        ConcurrentDictionary<int, LoadedTower> Loaded
    );
}
