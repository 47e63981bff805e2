using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>
/// Reads item embeddings at any width. Thread-safe; one instance per process suffices.
/// </summary>
/// <example>
/// <code>
/// EmbeddingReader reader = new(redis.GetDatabase(), new ServingOptions { Model = "shop" }, TimeProvider.System);
/// float[] vectors = new float[ids.Length * 32];
/// ItemRead[] items = new ItemRead[ids.Length];
/// ReadCounts counts = await reader.ReadAsync(ids, 32, vectors, items, cancellationToken);
/// </code>
/// </example>
public sealed class EmbeddingReader
{
    private readonly ServingOptions _options;
    private readonly StoreView _view;
    private readonly KeyedReads _reads;
    private readonly Lock _gate = new();
    private readonly Dictionary<(KeyLayout, uint, int), ItemKeySpace> _spaces = [];

    /// <summary>Initializes a new instance of the <see cref="EmbeddingReader"/> class.</summary>
    /// <param name="database">The store. The connection is the caller's and may be shared.</param>
    /// <param name="options">The model to read.</param>
    /// <param name="time">The time.</param>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public EmbeddingReader(IDatabase database, ServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _options = options;
        var pipeline = new ReadPipeline(options, time);
        _view = new StoreView(database, options, time, pipeline);
        _reads = new KeyedReads(database, options, pipeline);
    }

    /// <summary>Gets the generation that reads currently use: the configured one, or the active one.</summary>
    /// <returns>0 when nothing has been published.</returns>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    public async ValueTask<uint> GenerationAsync(CancellationToken cancellationToken = default) =>
        _options.Generation != 0 ? _options.Generation : (await _view.ReadAsync(cancellationToken).ConfigureAwait(false)).Generation;

    /// <summary>Gets the model's key names in the layout of its store.</summary>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    internal async ValueTask<RedisKeys> KeysAsync(CancellationToken cancellationToken) =>
        (await _view.ReadAsync(cancellationToken).ConfigureAwait(false)).Keys;

    /// <summary>Reads one item.</summary>
    /// <param name="id">The item's id.</param>
    /// <param name="destination">Receives the vector; its length is the width, 1 … D.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<ItemRead> ReadAsync(string id, Memory<float> destination, CancellationToken cancellationToken = default)
    {
        var item = new ItemRead[1];
        await ReadAsync([id], destination.Length, destination, item, cancellationToken).ConfigureAwait(false);
        return item[0];
    }

    /// <summary>Reads many items by MGET: in a cluster one per partition that contains some of them.</summary>
    /// <param name="ids">The items' ids, N of them; repeats are allowed.</param>
    /// <param name="width">The width w, 1 … D. With a key per width, one of the nested widths.</param>
    /// <param name="destination">Receives the vectors [N × w], row i for id i; zeros where an item was not found.</param>
    /// <param name="items">Receives the result for each [N].</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="ArgumentException">A buffer is too short or the width is below 1.</exception>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<ReadCounts> ReadAsync(
        IReadOnlyList<string> ids,
        int width,
        Memory<float> destination,
        Memory<ItemRead> items,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (destination.Length < (long)ids.Count * width || items.Length < ids.Count)
        {
            throw new ArgumentException(
                $"{ids.Count} items of width {width} need {(long)ids.Count * width} numbers and {ids.Count} results; "
                    + $"the buffers have room for {destination.Length} and {items.Length}.",
                nameof(destination)
            );
        }

        StoreView.Known store = await _view.ReadAsync(cancellationToken).ConfigureAwait(false);
        ItemKeySpace space = Space(store, width);
        RedisValue[] answers = await _reads
            .ReadAsync(ids, store.Keys, (partition, i) => space.Key(partition, ids[i]), cancellationToken)
            .ConfigureAwait(false);
        return Decode(answers, store.Generation, width, destination.Span, items.Span);
    }

    /// <summary>Reads the facts of items, as they are stored.</summary>
    /// <returns>The values, in the order of the items; null where there is none.</returns>
    internal async Task<RedisValue[]> ReadFactsAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        StoreView.Known store = await _view.ReadAsync(cancellationToken).ConfigureAwait(false);
        return await _reads
            .ReadAsync(ids, store.Keys, (_, i) => store.Keys.Facts(store.Generation, RedisKeys.Hash(ids[i])), cancellationToken)
            .ConfigureAwait(false);
    }

    private static ReadCounts Decode(RedisValue[] answers, uint generation, int width, Span<float> destination, Span<ItemRead> items)
    {
        ReadCounts counts = default;
        for (int i = 0; i < answers.Length; i++)
        {
            Span<float> row = destination.Slice(i * width, width);
            ItemRead item = DecodeOne(answers[i], generation, row);
            items[i] = item;
            if (item.Status != ItemStatus.Found)
            {
                row.Clear();
            }

            counts = item.Status switch
            {
                ItemStatus.Found => counts with { Found = counts.Found + 1 },
                ItemStatus.Missing => counts with { Missing = counts.Missing + 1 },
                _ => counts with { Refused = counts.Refused + 1 },
            };
        }

        return counts;
    }

    private static ItemRead DecodeOne(RedisValue answer, uint generation, Span<float> row)
    {
        if (answer.IsNull)
        {
            return default;
        }

        EmbeddingFault fault = EmbeddingValue.TryRead((byte[])answer!, out EmbeddingView view);
        if (fault != EmbeddingFault.None)
        {
            return new ItemRead(ItemStatus.Refused, fault, default);
        }

        EmbeddingStamp stamp = view.Stamp;
        if (stamp.Generation != generation)
        {
            return new ItemRead(ItemStatus.Refused, EmbeddingFault.OtherGeneration, stamp);
        }

        if (view.Dimension < row.Length)
        {
            return new ItemRead(ItemStatus.Refused, EmbeddingFault.TooNarrow, stamp);
        }

        view.Decode(row);
        return new ItemRead(ItemStatus.Found, EmbeddingFault.None, stamp) { Element = view.Element };
    }

    private ItemKeySpace Space(StoreView.Known store, int width)
    {
        (KeyLayout, uint, int) name = (store.Keys.Layout, store.Generation, _options.KeyPerWidth ? width : 0);
        lock (_gate)
        {
            if (!_spaces.TryGetValue(name, out ItemKeySpace? space))
            {
                if (_spaces.Count > 64)
                {
                    _spaces.Clear(); // generations no longer in use
                }

                _spaces[name] = space = store.Keys.Items(store.Generation, _options.KeyPerWidth ? width : null);
            }

            return space;
        }
    }
}
