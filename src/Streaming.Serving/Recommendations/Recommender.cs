using System.Buffers;
using System.Collections.Concurrent;
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
/// highest scores; where the trainer publishes counts, that ranking is fused with theirs. Items that are similar to an item are ranked
/// by its own vector and lists in the same way. Tower and index are of one generation: the index's, until it has loaded another. Safe for
/// any number of callers at a time.
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
            return await RecommendAsync(view, tower, seen, query, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<ulong>.Shared.Return(items);
        }
    }

    /// <summary>Ranks the items that are similar to an item: by the cosine of the vectors, fused with what was counted with the item
    /// where the trainer publishes that. Needs no user tower.</summary>
    /// <param name="id">The item; it is not among the items found.</param>
    /// <param name="vector">Its vector at the query's width, from the index or the store.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">The vector is not as long as the width.</exception>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    public async Task<SimilarItems> SimilarAsync(string id, float[] vector, ItemQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(vector);
        IndexView view = Check(query);
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, query.Width, nameof(vector));
        ulong key = RedisKeys.Hash(id);
        Task<RelatedItems?[]> reading = RelatedAsync(view, [key], query, cancellationToken);
        HashSet<ulong> without = [.. query.Exclude.Select(RedisKeys.Hash), key];
        var ranking = new ItemRanking(view, query, cosine: true);
        List<Neighbour>? candidates = Ahead(view, reading, ranking, vector, without);
        RelatedItems?[] related = await reading.ConfigureAwait(false);
        List<Neighbour> best = ranking.Best(vector, candidates, [key], related, without, withOwn: false, out bool isFused);
        return new SimilarItems(best, isFused);
    }

    /// <summary>Recommends by lists, each because of one of the user's latest items: those similar to it, ranked as by
    /// <see cref="SimilarAsync"/>. Needs no user tower.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="query">Width, count of each list, exclusions, filter.</param>
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
            return await BecauseAsync(view, seen, query, lists, cancellationToken).ConfigureAwait(false);
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
        return await RecommendAsync(view, tower, keys, query, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The user's items that are in the index, each once, the newest first.</summary>
    private static IEnumerable<ulong> Newest(IndexView view, ReadOnlyMemory<ulong> seen)
    {
        HashSet<ulong> told = [];
        for (int i = seen.Length - 1; i >= 0; i--)
        {
            ulong item = seen.Span[i];
            if (told.Add(item) && view.TryRead(item, [], out _, out _))
            {
                yield return item;
            }
        }
    }

    private async Task<List<BecauseList>> BecauseAsync(
        IndexView view,
        ReadOnlyMemory<ulong> seen,
        RecommendationQuery query,
        int lists,
        CancellationToken cancellationToken
    )
    {
        List<BecauseList> found = [];
        HashSet<ulong> without = Without(query, seen.Span);
        var ranking = new ItemRanking(view, query, cosine: true);
        float[] vector = new float[query.Width];
        foreach (ulong[] items in Newest(view, seen).Chunk(Math.Min(lists, MaxWindow)))
        {
            RelatedItems?[] related = await RelatedAsync(view, items, query, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < items.Length && found.Count < lists; i++)
            {
                if (!view.TryRead(items[i], vector, out string id, out _))
                {
                    continue;
                }

                RelatedItems?[] own = [related.ElementAtOrDefault(i)];
                HashSet<ulong> leftOut = [.. without, items[i]];
                List<Neighbour> near = ranking.Best(vector, null, [items[i]], own, leftOut, withOwn: false, out bool isFused);
                if (near.Count > 0)
                {
                    found.Add(new BecauseList(id, near, isFused));
                    without.UnionWith([.. near.Select(static item => RedisKeys.Hash(item.Id))]);
                }
            }

            if (found.Count == lists)
            {
                break;
            }
        }

        return found;
    }

    /// <summary>Before anything is read: a filter that fits no field is the caller's error, whatever the store says.</summary>
    /// <returns>The items to recommend from.</returns>
    private IndexView Check(ItemQuery query)
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

    /// <summary>The newest items of a history whose lists are read, the newest first.</summary>
    private static ulong[] Latest(ReadOnlyMemory<ulong> history)
    {
        ulong[] newest = history[Math.Max(0, history.Length - MaxWindow)..].ToArray();
        Array.Reverse(newest);
        return newest;
    }

    /// <summary>
    /// The lists of items; none where counts are not asked for, or while the store cannot be read: then the vector alone ranks.
    /// </summary>
    private async Task<RelatedItems?[]> RelatedAsync(IndexView view, ulong[] items, ItemQuery query, CancellationToken cancellationToken)
    {
        // A command to a store that is away would wait in the client's backlog.
        if (!query.Counts || items.Length == 0 || !_database.Multiplexer.IsConnected)
        {
            return [];
        }

        try
        {
            TowersOfGeneration towers = Towers(view.Generation);
            RelatedItems?[] read = await towers.Related.ReadAsync(items, cancellationToken).ConfigureAwait(false);
            towers.HasCounts |= Array.Exists(read, static lists => lists is not null);
            return read;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return [];
        }
    }

    private async Task<Recommendation> RecommendAsync(
        IndexView view,
        LoadedTower tower,
        ReadOnlyMemory<ulong> seen,
        RecommendationQuery query,
        CancellationToken cancellationToken
    )
    {
        Task<RelatedItems?[]> reading = RelatedAsync(view, Latest(seen), query, cancellationToken);
        (List<string> history, float[] users) = Encode(view, tower, seen.Span);
        var ranking = new ItemRanking(view, query, tower.Model.Model.Cosine);
        HashSet<ulong> without = Without(query, seen.Span);
        List<Neighbour>? candidates = Ahead(view, reading, ranking, users, without);
        RelatedItems?[] related = await reading.ConfigureAwait(false);
        List<Neighbour> best = ranking.Best(users, candidates, seen.Span, related, without, !query.ExcludeSeen, out bool isFused);
        return new Recommendation(tower.Model.Version, history, best, isFused);
    }

    /// <summary>The user's vectors, and the items that made them.</summary>
    private static (List<string> History, float[] Users) Encode(IndexView view, LoadedTower tower, ReadOnlySpan<ulong> seen)
    {
        int width = tower.Model.Width;
        ReadOnlySpan<ulong> keys = seen[Math.Max(0, seen.Length - tower.Model.Model.HistoryLength)..];
        float[] vectors = ArrayPool<float>.Shared.Rent(keys.Length * width);
        try
        {
            List<string> history = new(keys.Length);
            view.Read(keys, width, vectors, history);
            return (history, tower.Encode(vectors.AsSpan(0, history.Count * width)));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(vectors);
        }
    }

    /// <summary>Searches while lists are being read, where they are likely: the search of a fused ranking is longer.</summary>
    private List<Neighbour>? Ahead(
        IndexView view,
        Task<RelatedItems?[]> reading,
        ItemRanking ranking,
        float[] vectors,
        IReadOnlySet<ulong> without
    ) => !reading.IsCompleted && Towers(view.Generation).HasCounts ? ranking.Candidates(vectors, without) : null;

    private static HashSet<ulong> Without(RecommendationQuery query, ReadOnlySpan<ulong> seen)
    {
        HashSet<ulong> without = [.. query.Exclude.Select(RedisKeys.Hash)];
        if (query.ExcludeSeen)
        {
            without.UnionWith([.. seen]);
        }

        return without;
    }

    private sealed record TowersOfGeneration(
        uint Generation,
        UserTowerReader Reader,
        RelatedItemsReader Related,
        ConcurrentDictionary<int, LoadedTower> Loaded
    )
    {
        /// <summary>Whether a list was read: the trainer publishes counts.</summary>
        public volatile bool HasCounts;
    }
}
