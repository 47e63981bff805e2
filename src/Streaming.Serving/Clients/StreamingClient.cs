using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Serving.Filters;
using Streaming.Serving.Lookups;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Serving.Towers;

namespace Streaming.Serving.Clients;

/// <summary>
/// One line a call: embeddings by id from Redis, similar items and recommendations from an index of the catalogue in memory.
/// Thread-safe; one instance per process. <c>AddStreamingServing</c> registers one and keeps its index fresh.
/// </summary>
/// <remarks>For buffers of one's own, batches of searches or several widths at once, use the classes behind it:
/// <see cref="EmbeddingReader"/>, <see cref="EmbeddingIndex"/>, <see cref="Recommender"/>.</remarks>
/// <example>
/// <code>
/// float[]? vector = await client.GetAsync("item-1", 32);
/// SimilarItems similar = await client.SimilarAsync("item-1", 32);
/// Recommendation shown = await client.RecommendAsync("ann", 32);
/// </code>
/// </example>
public sealed class StreamingClient : IDisposable
{
    private readonly StreamingServingOptions _options;
    private readonly EmbeddingReader _reader;
    private readonly EmbeddingIndex? _index;
    private readonly Recommender? _recommender;
    private readonly ClientMetrics _metrics;

    /// <summary>Initializes a new instance of the <see cref="StreamingClient"/> class. With an index, the caller runs
    /// <see cref="Updater"/>.</summary>
    /// <param name="database">The store. The connection is the caller's and may be shared.</param>
    /// <param name="options">What to read and keep.</param>
    /// <param name="time">The time.</param>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public StreamingClient(IDatabase database, StreamingServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        ServingOptions serving = options.ToServing();
        _reader = new EmbeddingReader(database, serving, time);
        if (options.Index)
        {
            _index = new EmbeddingIndex(database, serving, options.ToIndex(), time);
            _recommender = new Recommender(database, serving, _index, time);
            Updater = new IndexUpdater(_index, options.RefreshInterval, time);
        }

        _metrics = new ClientMetrics(_index);
    }

    /// <summary>Gets what keeps the index up to date; null without an index.</summary>
    public IndexUpdater? Updater { get; }

    /// <summary>Gets the index, for searches of one's own; null without one.</summary>
    public EmbeddingIndex? Index => _index;

    /// <summary>Returns why calls that need the index cannot be answered now; null if they can.</summary>
    public string? Unready() =>
        Updater?.Status() switch
        {
            null => "there is no index (StreamingServingOptions.Index is false)",
            { Phase: IndexPhase.Loading } status => Loading(status),
            { Phase: IndexPhase.Unpublished } => $"nothing is published for model '{_options.Model}'",
            { Phase: IndexPhase.Stale } status when status.Age > _options.MaxStale =>
                $"the index is {status.Age.TotalSeconds:F0} s old, more than MaxStale allows; Redis cannot be read: {status.Error}",
            { Items: 0 } when _options.Generation != 0 =>
                $"generation {_options.Generation} of model '{_options.Model}' has no items: it was not published, or was retired",
            _ => null,
        };

    /// <summary>Reads an item's embedding.</summary>
    /// <param name="id">The item.</param>
    /// <param name="width">The width w, 1 … D.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The embedding [w]; null when the item is not in the store.</returns>
    /// <exception cref="StreamingServingException">Redis could not be read, or the item's value.</exception>
    public async Task<float[]?> GetAsync(string id, int width, CancellationToken cancellationToken = default)
    {
        ItemEmbedding item = (await GetAsync([id], width, cancellationToken).ConfigureAwait(false))[0];
        return item.Status == ItemStatus.Refused
            ? throw new StreamingServingException($"item '{id}': its value was refused ({item.Fault})", isTransient: false)
            : item.Vector;
    }

    /// <summary>Reads the embeddings of items by as few commands as the store allows.</summary>
    /// <param name="ids">The items; repeats are allowed.</param>
    /// <param name="width">The width w, 1 … D.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>One result per id, in their order.</returns>
    /// <exception cref="StreamingServingException">Redis could not be read.</exception>
    public Task<IReadOnlyList<ItemEmbedding>> GetAsync(IReadOnlyList<string> ids, int width, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        return AnswerAsync(
            "get",
            async () =>
            {
                float[] vectors = new float[ids.Count * width];
                var read = new ItemRead[ids.Count];
                _metrics.Count(await _reader.ReadAsync(ids, width, vectors, read, cancellationToken).ConfigureAwait(false));
                return (IReadOnlyList<ItemEmbedding>)
                    [
                        .. ids.Select(
                            (id, i) =>
                                new ItemEmbedding(
                                    id,
                                    read[i].Status == ItemStatus.Found ? vectors[(i * width)..((i + 1) * width)] : null,
                                    read[i].Status,
                                    read[i].Fault
                                )
                        ),
                    ];
            }
        );
    }

    /// <summary>Finds the items that are similar to an item, without itself: by cosine, fused with what was counted with it where the
    /// trainer publishes that.</summary>
    /// <param name="id">The item.</param>
    /// <param name="width">The width w, one of the model's for cosines at no extra cost.</param>
    /// <param name="count">The maximum number of items, 1 and up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The items; none when the item has no embedding.</returns>
    /// <exception cref="StreamingServingException">The index cannot answer, or Redis could not be read.</exception>
    public Task<SimilarItems> SimilarAsync(string id, int width, int count = 20, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return SimilarAsync(id, new ItemQuery { Width = width, Count = count }, cancellationToken);
    }

    /// <summary>Finds the items that are similar to an item, without itself: by cosine, fused with what was counted with it where the
    /// trainer publishes that and the query does not ask for the vector alone (<see cref="ItemQuery.Counts"/>).</summary>
    /// <param name="id">The item.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The items; none when the item has no embedding.</returns>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    /// <exception cref="StreamingServingException">The index cannot answer, or Redis could not be read.</exception>
    public Task<SimilarItems> SimilarAsync(string id, ItemQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Width, 1, nameof(query));
        return AnswerAsync(
            "similar",
            async () =>
            {
                IndexView view = query.View ?? Ready().Current;
                float[] vector = new float[query.Width];
                if (
                    !view.TryRead(RedisKeys.Hash(id), vector, out _, out _)
                    // Published since the last refresh, perhaps.
                    && (await _reader.ReadAsync(id, vector, cancellationToken).ConfigureAwait(false)).Status != ItemStatus.Found
                )
                {
                    return new SimilarItems([], IsFused: false);
                }

                return await _recommender!.SimilarAsync(id, vector, query with { View = view }, cancellationToken).ConfigureAwait(false);
            }
        );
    }

    /// <summary>Recommends items to a user by the published history; without one, as to a new user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="width">One of the model's widths.</param>
    /// <param name="count">The maximum number of items, 1 and up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="StreamingServingException">The index cannot answer, no user tower is published, or Redis could not be
    /// read.</exception>
    public Task<Recommendation> RecommendAsync(string user, int width, int count = 20, CancellationToken cancellationToken = default) =>
        RecommendAsync(user, new RecommendationQuery { Width = width, Count = count }, cancellationToken);

    /// <summary>Recommends items to a user by the published history; without one, as to a new user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="StreamingServingException">The index cannot answer, no user tower is published, or Redis could not be
    /// read.</exception>
    public Task<Recommendation> RecommendAsync(string user, RecommendationQuery query, CancellationToken cancellationToken = default) =>
        RecommendAsync("user", recommender => recommender.ForUserAsync(user, query, cancellationToken));

    /// <summary>Recommends by lists, each because of one of the user's latest items: those similar to it, ranked as by
    /// <see cref="SimilarAsync(string, ItemQuery, CancellationToken)"/>.</summary>
    /// <param name="user">The user.</param>
    /// <param name="query">Width, count of each list, exclusions, filter.</param>
    /// <param name="lists">The maximum number of lists, 1 and up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The lists, that of the latest item first; none for an unknown user.</returns>
    /// <exception cref="ItemFilterException">The filter, a boost or the diversity does not fit the attributes.</exception>
    /// <exception cref="StreamingServingException">The index cannot answer, or Redis could not be read.</exception>
    public Task<IReadOnlyList<BecauseList>> BecauseAsync(
        string user,
        RecommendationQuery query,
        int lists = 3,
        CancellationToken cancellationToken = default
    ) =>
        AnswerAsync(
            "because",
            () =>
            {
                Ready();
                return _recommender!.BecauseAsync(user, query, lists, cancellationToken);
            }
        );

    /// <summary>Lists the items with the most events, where the trainer publishes attributes.</summary>
    /// <param name="count">The maximum number of items, 1 and up.</param>
    /// <param name="filter">Which items; null: all.</param>
    /// <param name="recent">Whether each event counts half after the trainer's half-life; otherwise all count the same.</param>
    /// <exception cref="ItemFilterException">The filter does not fit the attributes, or none are published.</exception>
    /// <exception cref="StreamingServingException">The index cannot answer.</exception>
    public IReadOnlyList<Neighbour> Popular(int count = 20, ItemFilter? filter = null, bool recent = false) =>
        List("popular", count, (view, best) => recent ? view.PopularOfLate(filter, best) : view.Popular(filter, best));

    /// <summary>Lists the items that became known last, where the trainer publishes attributes.</summary>
    /// <param name="count">The maximum number of items, 1 and up.</param>
    /// <param name="filter">Which items; null: all.</param>
    /// <exception cref="ItemFilterException">The filter does not fit the attributes, or none are published.</exception>
    /// <exception cref="StreamingServingException">The index cannot answer.</exception>
    public IReadOnlyList<Neighbour> Latest(int count = 20, ItemFilter? filter = null) =>
        List("latest", count, (view, best) => view.Latest(filter, best));

    /// <summary>Recommends items for the items of a session.</summary>
    /// <param name="items">Ids, oldest first; unknown ones are ignored.</param>
    /// <param name="query">Width, count, exclusions, filter.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="StreamingServingException">The index cannot answer, no user tower is published, or Redis could not be
    /// read.</exception>
    public Task<Recommendation> RecommendAsync(
        IReadOnlyList<string> items,
        RecommendationQuery query,
        CancellationToken cancellationToken = default
    ) => RecommendAsync("items", recommender => recommender.ForItemsAsync(items, query, cancellationToken));

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics.Dispose();
        Updater?.Dispose();
        _index?.Dispose();
    }

    private Task<Recommendation> RecommendAsync(string call, Func<Recommender, Task<Recommendation?>> ask) =>
        AnswerAsync(
            call,
            async () =>
            {
                Ready();
                return await ask(_recommender!).ConfigureAwait(false)
                    ?? throw new StreamingServingException($"no user tower is published for model '{_options.Model}'", isTransient: true);
            }
        );

    private Neighbour[] List(string call, int count, Func<IndexView, Neighbour[], int> list)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using ClientCall measured = _metrics.Start(call);
        var best = new Neighbour[count];
        int found = list(Ready().Current, best);
        measured.Succeeded();
        return best[..found];
    }

    private EmbeddingIndex Ready() =>
        Unready() is { } reason ? throw new StreamingServingException(reason, isTransient: _options.Index) : _index!;

    private async Task<T> AnswerAsync<T>(string call, Func<Task<T>> ask)
    {
        using ClientCall measured = _metrics.Start(call);
        try
        {
            T answer = await ask().ConfigureAwait(false);
            measured.Succeeded();
            return answer;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw new StreamingServingException($"Redis could not be read: {exception.Message}", isTransient: true, exception);
        }
        catch (Exception exception) when (exception is FormatException or KeyLayoutException or TowerMismatchException)
        {
            throw new StreamingServingException(exception.Message, exception is TowerMismatchException, exception);
        }
    }

    private static string Loading(IndexStatus status)
    {
        string expected = status.Load?.Expected > 0 ? $"{status.Load.Expected}" : "an unknown number of";
        string progress = status.Load is { } load ? $": {load.Loaded} of {expected} items" : string.Empty;
        return $"the index is loading{progress}" + (status.Error is null ? string.Empty : $"; the last attempt failed: {status.Error}");
    }
}
