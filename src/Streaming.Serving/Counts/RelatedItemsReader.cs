using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Counts;

/// <summary>Reads the lists of items that the trainer counted. Safe for any number of callers at a time.</summary>
public sealed class RelatedItemsReader
{
    private readonly IDatabase _database;
    private readonly ReadPipeline _pipeline;
    private readonly Topology _topology;
    private readonly StoreView _view;

    /// <summary>Initializes a new instance of the <see cref="RelatedItemsReader"/> class.</summary>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public RelatedItemsReader(IDatabase database, ServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _pipeline = new ReadPipeline(options, time);
        _topology = new Topology(database);
        _view = new StoreView(database, options, time, _pipeline);
    }

    /// <summary>Reads the lists of items: one round trip, in a cluster one for each partition that the items are in.</summary>
    /// <param name="items">Hashes of the items' ids (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lists, in the order of <paramref name="items"/>; null where there are none or where the bytes are refused.</returns>
    /// <exception cref="KeyLayoutException">The model has another number of partitions in Redis than the options.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<RelatedItems?[]> ReadAsync(IReadOnlyList<ulong> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            return [];
        }

        StoreView.Known store = await _view.ReadAsync(cancellationToken).ConfigureAwait(false);
        RedisKey[] keys = [.. items.Select(item => (RedisKey)store.Keys.Related(store.Generation, item))];
        RedisValue[] values = await _pipeline.RunAsync(() => GetAsync(keys), cancellationToken).ConfigureAwait(false);
        return Array.ConvertAll(
            values,
            static value =>
                value.IsNull || RelatedItemsValue.TryDecode((byte[])value!, out RelatedItems? lists) != EmbeddingFault.None ? null : lists
        );
    }

    // A few keys, of about as many partitions: in a cluster single reads, which are sent together and also find a slot that is moving.
    private async Task<RedisValue[]> GetAsync(RedisKey[] keys) =>
        _topology.IsCluster
            ? await Task.WhenAll(keys.Select(key => _database.StringGetAsync(key))).ConfigureAwait(false)
            : await _database.StringGetAsync(keys).ConfigureAwait(false);
}
