using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>Reads one key for each of many items by MGET: in a cluster one per partition that contains some of them.</summary>
internal sealed class KeyedReads(IDatabase database, ServingOptions options, ReadPipeline pipeline)
{
    private readonly Topology _topology = new(database);

    /// <summary>Reads the keys of items.</summary>
    /// <param name="ids">The items.</param>
    /// <param name="keys">Says their partitions.</param>
    /// <param name="key">The key of an item, by its partition and index.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The values, in the order of the items; null where there is none.</returns>
    public async Task<RedisValue[]> ReadAsync(
        IReadOnlyList<string> ids,
        RedisKeys keys,
        Func<int, int, RedisKey> key,
        CancellationToken cancellationToken
    )
    {
        List<Call> calls = Plan(ids, keys, key);
        RedisValue[][] answers = await Task.WhenAll(calls.Select(call => FetchAsync(call.Keys, cancellationToken))).ConfigureAwait(false);
        var values = new RedisValue[ids.Count];
        for (int i = 0; i < calls.Count; i++)
        {
            for (int j = 0; j < answers[i].Length; j++)
            {
                values[calls[i].Rows[j]] = answers[i][j];
            }
        }

        return values;
    }

    /// <summary>Divides the items into calls. In a cluster the keys of one MGET must share a hash tag, so it takes at least one call
    /// per partition; a single server accepts any keys together, which is several times faster.</summary>
    private List<Call> Plan(IReadOnlyList<string> ids, RedisKeys keys, Func<int, int, RedisKey> key)
    {
        int[] partitions = new int[ids.Count];
        int[] rows = new int[ids.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            partitions[i] = keys.Partition(ids[i]);
            rows[i] = i;
        }

        bool together = !_topology.IsCluster;
        if (!together)
        {
            Array.Sort(partitions, rows);
        }

        List<Call> calls = [];
        for (int from = 0; from < rows.Length; )
        {
            int to = from + 1;
            while (to < rows.Length && to - from < options.KeysPerCall && (together || partitions[to] == partitions[from]))
            {
                to++;
            }

            var names = new RedisKey[to - from];
            for (int i = from; i < to; i++)
            {
                names[i - from] = key(partitions[i], rows[i]);
            }

            calls.Add(new Call(rows[from..to], names));
            from = to;
        }

        return calls;
    }

    private Task<RedisValue[]> FetchAsync(RedisKey[] keys, CancellationToken cancellationToken) =>
        pipeline.RunAsync(() => GetAsync(keys), cancellationToken);

    /// <summary>While a slot is being migrated, its keys are split between two servers: then each key is read by its own command.</summary>
    private async Task<RedisValue[]> GetAsync(RedisKey[] keys)
    {
        try
        {
            return await database.StringGetAsync(keys).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (ReadPipeline.IsSlotMigrating(error))
        {
            return await Task.WhenAll(keys.Select(key => database.StringGetAsync(key))).ConfigureAwait(false);
        }
    }

    private readonly record struct Call(int[] Rows, RedisKey[] Keys);
}
