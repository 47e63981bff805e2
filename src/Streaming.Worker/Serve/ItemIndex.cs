using StackExchange.Redis;
using Streaming.Core;
using Streaming.Serving;
using Streaming.Transport;

namespace Streaming.Worker;

/// <summary>
/// All items of the active generation at full width, read from Redis, for exact search. Read anew when it is older than
/// a few seconds and somebody asks.
/// </summary>
internal sealed class ItemIndex
{
    private const int ScanPage = 1000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    private readonly IDatabase _database;
    private readonly EmbeddingReader _reader;
    private readonly RedisKeys _keys;
    private readonly RedisOptions _options;
    private readonly int _dimension;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private Task<ItemVectors>? _current;
    private long _begun;

    /// <summary>Creates an index that has read nothing.</summary>
    public ItemIndex(IDatabase database, EmbeddingReader reader, RedisOptions options, int dimension, TimeProvider time)
    {
        _database = database;
        _reader = reader;
        _options = options;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _dimension = dimension;
        _time = time;
    }

    /// <summary>The items, read within the last seconds; callers at the same time share one reading.</summary>
    public Task<ItemVectors> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_current is null or { IsFaulted: true } || (_current.IsCompleted && _time.GetElapsedTime(_begun) >= Lifetime))
            {
                _begun = _time.GetTimestamp();
                _current = Task.Run(() => ReadAsync(CancellationToken.None), CancellationToken.None);
            }

            return _current.WaitAsync(cancellationToken);
        }
    }

    private async Task<ItemVectors> ReadAsync(CancellationToken cancellationToken)
    {
        uint generation = await _reader.GenerationAsync(cancellationToken).ConfigureAwait(false);
        if (generation == 0)
        {
            return new ItemVectors([], [], _dimension);
        }

        string[] ids = Scan(generation);
        float[] vectors = new float[(long)ids.Length * _dimension];
        ItemRead[] items = new ItemRead[ids.Length];
        await _reader.ReadAsync(ids, _dimension, vectors, items, cancellationToken).ConfigureAwait(false);
        // An item can go between the scan and the read.
        int found = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (items[i].Status == ItemStatus.Found)
            {
                ids[found] = ids[i];
                vectors.AsSpan(i * _dimension, _dimension).CopyTo(vectors.AsSpan(found * _dimension));
                found++;
            }
        }

        return new ItemVectors(ids[..found], vectors, _dimension);
    }

    private string[] Scan(uint generation)
    {
        ItemKeySpace space = _keys.Items(generation, _options.Layout == EmbeddingKeyLayout.PerWidth ? _dimension : null);
        var ids = new List<string>();
        foreach (System.Net.EndPoint endpoint in _database.Multiplexer.GetEndPoints())
        {
            IServer server = _database.Multiplexer.GetServer(endpoint);
            if (!server.IsConnected || server.IsSlave)
            {
                continue;
            }

            foreach (RedisKey key in server.Keys(_database.Database, space.ScanPattern, ScanPage))
            {
                if (space.TryGetId((byte[])key!, out string id))
                {
                    ids.Add(id);
                }
            }
        }

        // SCAN may show a key twice.
        return [.. ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}
