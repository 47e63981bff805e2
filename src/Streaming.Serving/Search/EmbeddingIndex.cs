using System.Buffers;
using System.Net;
using StackExchange.Redis;
using Streaming.Core;
using Streaming.Kernels;

namespace Streaming.Serving;

/// <summary>
/// Exact nearest items over a copy of the whole catalogue in memory, at any width, kept up to date from the change feed. A
/// funnel makes use of the nesting: a shortlist at a narrow width, ranked again at a wide one.
/// </summary>
/// <remarks>Searches may run on any number of threads, also while <see cref="RefreshAsync"/> runs; that one and
/// <see cref="LoadAsync"/> are for one caller at a time. Memory: 4 bytes × width an item. Up to some million items; beyond that,
/// feed an approximate index from <see cref="ChangeFeedReader"/>.</remarks>
/// <example>
/// <code>
/// using EmbeddingIndex index = new(redis.GetDatabase(), new ServingOptions { Model = "shop" }, width: 128, cosine: false, TimeProvider.System);
/// await index.LoadAsync(cancellationToken);                  // once
/// await index.RefreshAsync(cancellationToken);               // every second or so
/// Neighbour[] best = new Neighbour[20];
/// int found = index.Search(user, width: 32, best);           // cheap tier
/// found = index.Funnel(user, 16, shortlist: 500, 128, best); // narrow first, wide for the order
/// </code>
/// </example>
public sealed class EmbeddingIndex : IDisposable
{
    private const int ReadBatch = 2000;

    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly TimeProvider _clock;
    private readonly int _width;
    private readonly bool _cosine;
    private readonly RedisKeys _keys;
    private readonly EmbeddingReader _pointer;
    private readonly ChangeFeedReader _feed;
    private readonly ReaderWriterLockSlim _lock = new();
    private VectorTable _table;
    private EmbeddingReader? _reader;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingIndex"/> class, empty.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Where the model is.</param>
    /// <param name="width">The widest width that will be searched, 1 … D.</param>
    /// <param name="cosine">Whether scores are divided by the length of the item's prefix, where a search does not say.</param>
    /// <param name="clock">Time.</param>
    public EmbeddingIndex(IDatabase database, ServingOptions options, int width, bool cosine, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, EmbeddingFormat.MaxDimension);
        _pointer = new EmbeddingReader(database, options with { PointerLifetime = TimeSpan.Zero }, clock);
        _feed = new ChangeFeedReader(database, options, clock);
        _database = database;
        _options = options;
        _clock = clock;
        _width = width;
        _cosine = cosine;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _table = new VectorTable(width);
    }

    /// <summary>Gets the number of items.</summary>
    public int Count
    {
        get
        {
            _lock.EnterReadLock();
            try
            {
                return _table.Count;
            }
            finally
            {
                _lock.ExitReadLock();
            }
        }
    }

    /// <summary>Gets the generation that the vectors belong to, 0 before the first load.</summary>
    public uint Generation { get; private set; }

    /// <summary>Gets how many values were refused so far as foreign, corrupt, too narrow or of another generation.</summary>
    public long Refused { get; private set; }

    /// <summary>Loads every item. Searches go on over what was there before, until all is loaded.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        await _feed.SeekToEndAsync(cancellationToken).ConfigureAwait(false);
        uint generation = await _pointer.GenerationAsync(cancellationToken).ConfigureAwait(false);
        _reader = new EmbeddingReader(_database, _options with { Generation = generation }, _clock);
        VectorTable table = new(_width);
        if (generation != 0)
        {
            foreach (string[] ids in Scan(generation).Distinct(StringComparer.Ordinal).Chunk(ReadBatch))
            {
                await ReadIntoAsync(table, ids, shared: false, cancellationToken).ConfigureAwait(false);
            }
        }

        _lock.EnterWriteLock();
        _table = table;
        Generation = generation;
        _lock.ExitWriteLock();
    }

    /// <summary>Takes in what changed since the last call; loads everything when another generation became active or changes
    /// were missed.</summary>
    /// <returns>How many items were read again.</returns>
    public async Task<int> RefreshAsync(CancellationToken cancellationToken = default)
    {
        if (_reader is null || await _pointer.GenerationAsync(cancellationToken).ConfigureAwait(false) != Generation)
        {
            await LoadAsync(cancellationToken).ConfigureAwait(false);
            return Count;
        }

        List<FeedChange> changes = [];
        FeedRead read;
        do
        {
            read = await _feed.ReadAsync(changes, cancellationToken).ConfigureAwait(false);
            if (read.Gap)
            {
                await LoadAsync(cancellationToken).ConfigureAwait(false);
                return Count;
            }
        }
        while (read.More);

        string[] ids = [.. changes.Where(change => change.Generation == Generation).Select(change => change.Id).Distinct(StringComparer.Ordinal)];
        foreach (string[] part in ids.Chunk(ReadBatch))
        {
            await ReadIntoAsync(_table, part, shared: true, cancellationToken).ConfigureAwait(false);
        }

        return ids.Length;
    }

    /// <summary>Finds the items that score highest with a query.</summary>
    /// <param name="query">The user's (or an item's) vector, at least <paramref name="width"/> numbers.</param>
    /// <param name="width">How many numbers count, 1 … the index's width.</param>
    /// <param name="best">Receives the items, best first.</param>
    /// <returns>How many were found: fewer than asked for only when there are no more.</returns>
    public int Search(ReadOnlySpan<float> query, int width, Span<Neighbour> best) => Search(query, width, _cosine, best);

    /// <summary>Finds the items that score highest with a query.</summary>
    /// <param name="query">The user's (or an item's) vector, at least <paramref name="width"/> numbers.</param>
    /// <param name="width">How many numbers count, 1 … the index's width.</param>
    /// <param name="cosine">Whether scores are divided by the length of the item's prefix.</param>
    /// <param name="best">Receives the items, best first.</param>
    /// <returns>How many were found: fewer than asked for only when there are no more.</returns>
    public int Search(ReadOnlySpan<float> query, int width, bool cosine, Span<Neighbour> best) => Find(query, width, best.Length, width, cosine, best);

    /// <summary>Copies the vectors of items, in the order of the keys and end to end; those that are not there are left out.</summary>
    /// <param name="keys">Hashes of the items' ids (<see cref="RedisKeys.Hash"/>).</param>
    /// <param name="width">How many numbers of each, 1 … the index's width.</param>
    /// <param name="vectors">Receives the vectors: room for all keys.</param>
    /// <param name="ids">Receives the ids.</param>
    public void Read(ReadOnlySpan<ulong> keys, int width, Span<float> vectors, ICollection<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, _width);
        _lock.EnterReadLock();
        try
        {
            foreach (ulong key in keys)
            {
                int row = _table.Find(key);
                if (row >= 0)
                {
                    _table.Vectors.Slice(row * _width, width).CopyTo(vectors[(ids.Count * width)..]);
                    ids.Add(_table.Id(row));
                }
            }
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Finds a shortlist at a narrow width and ranks it at a wide one: nearly as good as a search at the wide width, and equal
    /// to it when the shortlist holds everything. Measure before choosing it: at 100,000 items of width 128 the exact search was faster.</summary>
    /// <param name="query">The user's (or an item's) vector, at least <paramref name="width"/> numbers.</param>
    /// <param name="narrow">Width of the first search, 1 … <paramref name="width"/>.</param>
    /// <param name="shortlist">Items that the first search keeps, at least as many as <paramref name="best"/> holds.</param>
    /// <param name="width">Width of the ranking, up to the index's width.</param>
    /// <param name="best">Receives the items, best first, with scores at the wide width.</param>
    /// <returns>How many were found.</returns>
    public int Funnel(ReadOnlySpan<float> query, int narrow, int shortlist, int width, Span<Neighbour> best)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(narrow, width);
        ArgumentOutOfRangeException.ThrowIfLessThan(shortlist, best.Length);
        return Find(query, narrow, shortlist, width, _cosine, best);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private int Find(ReadOnlySpan<float> query, int narrow, int shortlist, int width, bool cosine, Span<Neighbour> best)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(narrow, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, Math.Min(_width, query.Length));
        if (best.IsEmpty)
        {
            return 0;
        }

        VectorTable table = EnterRead(narrow, width, cosine);
        int[] rows = ArrayPool<int>.Shared.Rent(shortlist);
        float[] scores = ArrayPool<float>.Shared.Rent(shortlist);
        try
        {
            Shortlist(table, query, narrow, cosine, rows.AsSpan(0, shortlist), scores.AsSpan(0, shortlist));
            int found = shortlist - rows.AsSpan(0, shortlist).Count(-1);
            if (narrow < width)
            {
                Rank(table, query, width, cosine, rows.AsSpan(0, found), scores.AsSpan(0, found));
            }

            found = Math.Min(found, best.Length);
            for (int i = 0; i < found; i++)
            {
                best[i] = new Neighbour(table.Id(rows[i]), scores[i]);
            }

            return found;
        }
        finally
        {
            _lock.ExitReadLock();
            ArrayPool<int>.Shared.Return(rows);
            ArrayPool<float>.Shared.Return(scores);
        }
    }

    /// <summary>Enters the read lock with the norms of both widths at hand.</summary>
    private VectorTable EnterRead(int narrow, int width, bool cosine)
    {
        _lock.EnterReadLock();
        while (cosine && (!_table.HasScales(narrow) || !_table.HasScales(width)))
        {
            _lock.ExitReadLock();
            _lock.EnterWriteLock();
            _table.PrepareScales(narrow);
            _table.PrepareScales(width);
            _lock.ExitWriteLock();
            _lock.EnterReadLock();
        }

        return _table;
    }

    private void Shortlist(VectorTable table, ReadOnlySpan<float> query, int width, bool cosine, Span<int> rows, Span<float> scores) => TopK.Search(new TopKProblem
    {
        Queries = query[..width],
        QueryStride = width,
        Catalogue = table.Vectors,
        CatalogueStride = _width,
        Width = width,
        Present = table.Present,
        Scales = cosine ? table.Scales(width) : [],
        Count = rows.Length,
        Rows = rows,
        Scores = scores,
    });

    /// <summary>Puts the shortlist in order at a wider width.</summary>
    private void Rank(VectorTable table, ReadOnlySpan<float> query, int width, bool cosine, Span<int> rows, Span<float> scores)
    {
        if (rows.IsEmpty)
        {
            return;
        }

        float[] gathered = ArrayPool<float>.Shared.Rent(rows.Length * width);
        int[] order = ArrayPool<int>.Shared.Rent(rows.Length);
        ReadOnlySpan<float> scales = cosine ? table.Scales(width) : [];
        float[] factors = ArrayPool<float>.Shared.Rent(rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            table.Vectors.Slice(rows[i] * _width, width).CopyTo(gathered.AsSpan(i * width));
            factors[i] = scales.IsEmpty ? 1 : scales[rows[i]];
        }

        TopK.Search(new TopKProblem
        {
            Queries = query[..width],
            QueryStride = width,
            Catalogue = gathered.AsSpan(0, rows.Length * width),
            CatalogueStride = width,
            Width = width,
            Scales = factors.AsSpan(0, rows.Length),
            Count = rows.Length,
            Rows = order.AsSpan(0, rows.Length),
            Scores = scores,
        });
        for (int i = 0; i < rows.Length; i++)
        {
            order[i] = rows[order[i]];
        }

        order.AsSpan(0, rows.Length).CopyTo(rows);
        ArrayPool<float>.Shared.Return(gathered);
        ArrayPool<float>.Shared.Return(factors);
        ArrayPool<int>.Shared.Return(order);
    }

    private async Task ReadIntoAsync(VectorTable table, string[] ids, bool shared, CancellationToken cancellationToken)
    {
        float[] vectors = new float[ids.Length * _width];
        ItemRead[] items = new ItemRead[ids.Length];
        ReadCounts counts = await _reader!.ReadAsync(ids, _width, vectors, items, cancellationToken).ConfigureAwait(false);
        Refused += counts.Refused;
        if (shared)
        {
            _lock.EnterWriteLock();
        }

        try
        {
            for (int i = 0; i < ids.Length; i++)
            {
                if (items[i].Status == ItemStatus.Found)
                {
                    table.Set(ids[i], vectors.AsSpan(i * _width, _width));
                }
                else if (items[i].Status == ItemStatus.Missing)
                {
                    table.Remove(ids[i]);
                }
            }
        }
        finally
        {
            if (shared)
            {
                _lock.ExitWriteLock();
            }
        }
    }

    /// <summary>Every id of a generation, from every node, by SCAN. An id may come more than once: SCAN repeats, and so do replicas.</summary>
    private IEnumerable<string> Scan(uint generation)
    {
        ItemKeySpace space = _keys.Items(generation, _options.KeyPerWidth ? _width : null);
        foreach (EndPoint endPoint in _database.Multiplexer.GetEndPoints())
        {
            IServer server = _database.Multiplexer.GetServer(endPoint);
            if (!server.IsConnected)
            {
                continue;
            }

            foreach (RedisKey key in server.Keys(_database.Database, space.ScanPattern, pageSize: 1000))
            {
                if (space.TryGetId((byte[])key!, out string id))
                {
                    yield return id;
                }
            }
        }
    }
}
