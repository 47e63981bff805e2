using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Serving;
using Streaming.Serving.Lookups;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Generations;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Answers the lookup routes: vectors, neighbours and recommendations, from Redis and an index of its items, like any serving tier.
/// </summary>
public sealed class Lookups : IDisposable
{
    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly ServeOptions _serve;
    private readonly RedisKeys _keys;
    private readonly GenerationPublisher _records;
    private readonly EmbeddingIndex _index;
    private readonly Func<string, string?> _titleOf;
    private readonly TimeProvider _time;
    private volatile ServedItems _served;

    /// <summary>Creates the lookups; the caller runs <see cref="Updater"/>.</summary>
    /// <param name="database">The store.</param>
    /// <param name="redis">Where the model is.</param>
    /// <param name="serve">How its items are kept and searched.</param>
    /// <param name="widths">The model's widths, where the store does not say them.</param>
    /// <param name="titleOf">A title for people, where one is known.</param>
    /// <param name="time">Clock.</param>
    /// <param name="generation">The generation to serve; 0: the one that readers use.</param>
    public Lookups(
        IDatabase database,
        RedisOptions redis,
        ServeOptions serve,
        IReadOnlyList<int> widths,
        Func<string, string?> titleOf,
        TimeProvider time,
        uint generation = 0
    )
    {
        _database = database;
        _titleOf = titleOf;
        _time = time;
        _serve = serve;
        _options = new ServingOptions
        {
            Model = redis.Model,
            Partitions = redis.Partitions,
            KeyPerWidth = redis.Layout == EmbeddingKeyLayout.PerWidth,
            Generation = generation,
        };
        _keys = new RedisKeys(redis.Model, redis.Partitions);
        _records = new GenerationPublisher(database, redis, time);
        _index = new EmbeddingIndex(
            database,
            _options,
            new IndexOptions
            {
                Widths = widths,
                SweepItems = _serve.SweepItems,
                Approximate = _serve.ToApproximate(),
            },
            time
        );
        Updater = new IndexUpdater(_index, _serve.RefreshInterval, time);
        Recommender = new Recommender(database, _options, _index, time);
        _served = Serve(_index.Current);
        Metrics = new ServeMetrics(_index, generation == 0 ? "active" : "trial");
    }

    /// <summary>Gets the service that keeps the index up to date.</summary>
    public IndexUpdater Updater { get; }

    /// <summary>
    /// Checks that the settings match the model in Redis. An unreachable store is not an error here; the index reports it.
    /// </summary>
    /// <exception cref="KeyLayoutException">The model has another number of partitions.</exception>
    /// <exception cref="StoreRefusedException">The pointer or the layout record is not what a trainer writes: names it.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await new EmbeddingReader(_database, _options, _time).GenerationAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // Health reports an unreachable store.
        }
        catch (FormatException exception)
        {
            throw new StoreRefusedException(exception.Message, exception);
        }
    }

    /// <summary>Reads the record of the generation to serve.</summary>
    /// <returns>Null if there is none, or the store cannot be read, which health reports.</returns>
    public async Task<GenerationRecord?> RecordAsync(CancellationToken cancellationToken)
    {
        try
        {
            uint generation = await new EmbeddingReader(_database, _options, _time)
                .GenerationAsync(cancellationToken)
                .ConfigureAwait(false);
            return generation == 0 ? null : await _records.ReadAsync(generation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (RouteAnswers.IsStoreAway(exception) || RouteAnswers.IsStoreUnreadable(exception))
        {
            return null;
        }
    }

    /// <summary>Gets the recommender over the index.</summary>
    public Recommender Recommender { get; }

    /// <summary>Gets the counters.</summary>
    public ServeMetrics Metrics { get; }

    /// <summary>Gets the generation that is always served; 0: the one that readers use.</summary>
    public uint Pinned => _options.Generation;

    /// <summary>Gets a value indicating whether the generation that is always served is loaded and has no item: it was never published,
    /// or its items have expired since it was retired.</summary>
    public bool IsGone => Pinned != 0 && _index.IsLoaded && _index.Count == 0;

    /// <summary>Gets the memory used by the index, in bytes.</summary>
    public long IndexBytes => _index.Current.Bytes;

    /// <summary>Returns the state of the index and why it cannot answer, or null if it can.</summary>
    public (IndexStatus Status, string? Reason) Look()
    {
        IndexStatus status = Updater.Status();

        // The client's messages go on with its settings and counters.
        status = status with
        {
            Error = status.Error is { } error ? RedisConnection.FirstWords(error) : null,
        };
        return (
            status,
            status switch
            {
                { Phase: IndexPhase.Loading } => $"the index is not loaded "
                    + $"yet{Progress(status.Load)}{(status.Error is null ? string.Empty : $"; the last attempt failed: {status.Error}")}",
                { Phase: IndexPhase.Unpublished } => $"no generation is published: {_keys.Active} is not set{Progress(status.Load)}",
                { Phase: IndexPhase.Stale } when status.Age > _serve.MaxStale =>
                    $"the index is {Seconds(status.Age)} s old, more than STREAMING__Serve__MaxStale allows; the store cannot be read: "
                        + $"{status.Error}",
                { Items: 0 } when Pinned != 0 => $"generation {Pinned} has no items: it was not published, or was retired",
                { } when Pinned != 0 && _index.Record is null =>
                    $"generation {Pinned} has no record yet ({_keys.Generation(Pinned)}): its user towers are not published",
                _ => null,
            }
        );
    }

    /// <summary>Returns what requests are answered from now.</summary>
    public ServedItems Take()
    {
        IndexView view = _index.Current;
        ServedItems served = _served;
        return ReferenceEquals(served.View, view) ? served : _served = Serve(view);
    }

    /// <summary>Returns the vector of each item at a width: from Redis, or from the index while Redis is unavailable.</summary>
    public async Task<IReadOnlyList<ItemLookup>> VectorsAsync(
        ServedItems served,
        IReadOnlyList<string> ids,
        int width,
        CancellationToken cancellationToken
    )
    {
        if (_database.Multiplexer.IsConnected)
        {
            try
            {
                float[] vectors = new float[ids.Count * width];
                var items = new ItemRead[ids.Count];
                await served.Reader.ReadAsync(ids, width, vectors, items, cancellationToken).ConfigureAwait(false);
                Metrics.Count(items);
                return
                [
                    .. ids.Select(
                        (id, i) =>
                            new ItemLookup(
                                items[i].Status == ItemStatus.Found
                                    ? new ItemVector(id, _titleOf(id), items[i].Stamp.Step, vectors[(i * width)..((i + 1) * width)])
                                    : null,
                                items[i].Status == ItemStatus.Refused ? Refusals.Describe(items[i].Fault) : null
                            )
                    ),
                ];
            }
            catch (Exception exception) when (RouteAnswers.IsStoreAway(exception) || RouteAnswers.IsStoreUnreadable(exception))
            {
                // Same as not connected.
            }
        }

        return [.. ids.Select(id => FromIndex(served, id, width, alone: ids.Count == 1))];
    }

    /// <summary>Returns the items that are similar to an item at a width, without the item itself: by cosine, fused with counts where they
    /// are published and asked for.</summary>
    /// <param name="served">What to answer from.</param>
    /// <param name="id">The item.</param>
    /// <param name="query">Width, count, exclusions, rules.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null if the item has no embedding, and why its stored value was refused.</returns>
    public async Task<(SimilarItems? Found, string? Refused)> NeighboursAsync(
        ServedItems served,
        string id,
        ItemQuery query,
        CancellationToken cancellationToken
    )
    {
        float[] vector = new float[query.Width];
        if (!served.View.TryRead(RedisKeys.Hash(id), vector, out _, out _))
        {
            // May have been published since the last refresh of the index.
            ItemLookup item = (await VectorsAsync(served, [id], query.Width, cancellationToken).ConfigureAwait(false))[0];
            if (item.Vector is null)
            {
                return (null, item.Refused);
            }

            vector = item.Vector.Vector;
        }

        return (
            await Recommender.SimilarAsync(id, vector, query with { View = served.View }, cancellationToken).ConfigureAwait(false),
            null
        );
    }

    /// <summary>An item of an answer.</summary>
    /// <param name="view">The items.</param>
    /// <param name="id">The item.</param>
    /// <param name="score">Its score.</param>
    public NearItem Near(IndexView view, string id, double score) =>
        new(id, _titleOf(id), Math.Round(score, 4)) { Cold = view.IsCold(RedisKeys.Hash(id)) ? true : null };

    /// <summary>Returns an item's display title, or null.</summary>
    public string? TitleOf(string id) => _titleOf(id);

    /// <inheritdoc/>
    public void Dispose()
    {
        Metrics.Dispose();
        Updater.Dispose();
        _index.Dispose();
    }

    internal static string Seconds(TimeSpan age) => Math.Round(age.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static string Progress(IndexLoad? load) =>
        load is null || load.Generation == 0
            ? string.Empty
            : $": {load.Loaded} of {(load.Expected > 0 ? load.Expected : "an unknown number of")} items";

    private ItemLookup FromIndex(ServedItems served, string id, int width, bool alone)
    {
        float[] vector = new float[width];
        return served.View.TryRead(RedisKeys.Hash(id), vector, out _, out long step)
                ? new ItemLookup(new ItemVector(id, _titleOf(id), step, vector), null)
            : alone ? throw LookupException.Unavailable($"the store cannot be read, and item \"{id}\" is not in the index")
            : default;
    }

    private ServedItems Serve(IndexView view) =>
        new(this, view, new EmbeddingReader(_database, _options with { Generation = view.Generation }, _time), _serve);
}
