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
    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly ReadPipeline _pipeline;
    private readonly StoreView _view;
    private readonly Topology _topology;
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
        _database = database;
        _options = options;
        _pipeline = new ReadPipeline(options, time);
        _view = new StoreView(database, options, time, _pipeline);
        _topology = new Topology(database);
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
        List<Lookup> lookups = Plan(ids, Space(store, width));
        RedisValue[][] answers = await Task.WhenAll(lookups.Select(lookup => FetchAsync(lookup.Keys, cancellationToken)))
            .ConfigureAwait(false);
        ReadCounts counts = default;
        for (int i = 0; i < lookups.Count; i++)
        {
            counts = Decode(lookups[i].Rows, answers[i], store.Generation, width, destination.Span, items.Span, counts);
        }

        return counts;
    }

    private static ReadCounts Decode(
        int[] rows,
        RedisValue[] answers,
        uint generation,
        int width,
        Span<float> destination,
        Span<ItemRead> items,
        ReadCounts counts
    )
    {
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> row = destination.Slice(rows[i] * width, width);
            ItemRead item = DecodeOne(answers[i], generation, row);
            items[rows[i]] = item;
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

    private Task<RedisValue[]> FetchAsync(RedisKey[] keys, CancellationToken cancellationToken) =>
        _pipeline.RunAsync(() => GetAsync(keys), cancellationToken);

    /// <summary>While a slot is being migrated, its keys are split between two servers: then each key is read by its own command.</summary>
    private async Task<RedisValue[]> GetAsync(RedisKey[] keys)
    {
        try
        {
            return await _database.StringGetAsync(keys).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (ReadPipeline.IsSlotMigrating(error))
        {
            return await Task.WhenAll(keys.Select(key => _database.StringGetAsync(key))).ConfigureAwait(false);
        }
    }

    /// <summary>Divides the rows into calls. In a cluster the keys of one MGET must share a hash tag, so it takes at least one call
    /// per partition; a single server accepts any keys together, which is several times faster.</summary>
    private List<Lookup> Plan(IReadOnlyList<string> ids, ItemKeySpace space)
    {
        int[] partitions = new int[ids.Count];
        int[] rows = new int[ids.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            partitions[i] = space.Keys.Partition(ids[i]);
            rows[i] = i;
        }

        bool together = !_topology.IsCluster;
        if (!together)
        {
            Array.Sort(partitions, rows);
        }

        List<Lookup> lookups = [];
        for (int from = 0; from < rows.Length; )
        {
            int to = from + 1;
            while (to < rows.Length && to - from < _options.KeysPerCall && (together || partitions[to] == partitions[from]))
            {
                to++;
            }

            var keys = new RedisKey[to - from];
            for (int i = from; i < to; i++)
            {
                keys[i - from] = space.Key(partitions[i], ids[rows[i]]);
            }

            lookups.Add(new Lookup(rows[from..to], keys));
            from = to;
        }

        return lookups;
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

    private readonly record struct Lookup(int[] Rows, RedisKey[] Keys);
}
