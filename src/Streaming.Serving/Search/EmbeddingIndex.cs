using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Kernels.Packed;
using Streaming.Serving.Changes;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;
using Streaming.Serving.Lookups;
using Streaming.Serving.Towers;

namespace Streaming.Serving.Search;

/// <summary>
/// Exact nearest-neighbour search over an in-memory copy of the whole catalogue, at any width, kept up to date from the change feed.
/// A funnel exploits the nesting: a shortlist at a narrow width, reranked at a wide one.
/// </summary>
/// <remarks>Searches may run on any number of threads, also during <see cref="RefreshAsync"/> or <see cref="LoadAsync"/>, which allow one
/// caller at a time (for example <see cref="IndexUpdater"/>). Memory per item: the vector as stored (2 bytes × width for float16), 4 bytes
/// per nested width, 29 bytes, with attributes 24 bytes, 8 for each number and 4 for each text (of a list: for each text of the longest
/// list among 4,096 items), the text of the id and about 30 bytes of directory; twice as much while another generation is
/// loading.</remarks>
/// <example>
/// <code>
/// using EmbeddingIndex index = new(redis.GetDatabase(), new ServingOptions { Model = "shop" }, new IndexOptions { Widths =
/// [16, 32, 64, 128] }, TimeProvider.System);
/// await index.LoadAsync(cancellationToken);                  // once
/// await index.RefreshAsync(cancellationToken);               // every second or so
/// Neighbour[] best = new Neighbour[20];
/// int found = index.Search(user, width: 32, best);           // cheap tier
/// found = index.Funnel(user, 32, shortlist: 500, 128, best); // narrow first, wide for the order
/// </code>
/// </example>
public sealed class EmbeddingIndex : IDisposable
{
    private static readonly TimeSpan DrainInterval = TimeSpan.FromSeconds(1);
    private static readonly int Faults = Enum.GetValues<EmbeddingFault>().Length;

    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly IndexOptions _index;
    private readonly TimeProvider _time;
    private readonly EmbeddingReader _pointer;
    private readonly ChangeFeedReader _feed;
    private readonly GraphKeeper? _graphs;
    private readonly Dictionary<string, uint> _pending = new(StringComparer.Ordinal);
    private readonly List<FeedChange> _changes = [];
    private readonly long[] _refused = new long[Faults];
    private long _found;
    private volatile IndexView _view;
    private volatile IndexLoad? _loading;
    private EmbeddingReader? _reader;
    private volatile GenerationRecord? _record;
    private RowElement? _atLeast;
    private bool _reload = true;
    private int _swept;
    private long _refreshedAt;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingIndex"/> class, empty.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">The model to read.</param>
    /// <param name="index">Options of the index.</param>
    /// <param name="time">The time.</param>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public EmbeddingIndex(IDatabase database, ServingOptions options, IndexOptions index, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(index);
        index.Validate();
        _pointer = new EmbeddingReader(database, options with { PointerLifetime = TimeSpan.Zero }, time);
        _feed = new ChangeFeedReader(database, options, time);
        _database = database;
        _options = options;
        _index = index;
        _time = time;
        _graphs = index.Approximate is { } approximate ? new GraphKeeper(approximate, time) : null;
        int[] widths = index.Kept(index.Widths, options.KeyPerWidth);
        _view = new IndexView(0, widths, new VectorTable(widths, RowElement.Float16));
    }

    /// <summary>Gets the current items; take it once for an answer that needs several calls.</summary>
    public IndexView Current => _view;

    /// <summary>Gets the number of items.</summary>
    public int Count => _view.Count;

    /// <summary>Gets the generation that the vectors belong to, 0 before the first load.</summary>
    public uint Generation => _view.Generation;

    /// <summary>Gets the record of the generation, as of the last refresh; null when the trainer has not written one: before the user
    /// towers are published, or where it publishes none.</summary>
    public GenerationRecord? Record => _record;

    /// <summary>Gets the progress of the current load; null when none is running.</summary>
    public IndexLoad? Loading => _loading;

    /// <summary>Gets a value indicating whether a load has succeeded, even of a store without a generation.</summary>
    public bool IsLoaded => Volatile.Read(ref _refreshedAt) != 0;

    /// <summary>Gets the status of the approximate search; null: every search is exact.</summary>
    public GraphStatus? Graph => _graphs?.Status;

    /// <summary>Gets the time since the index last matched the store; 0 before the first load.</summary>
    public TimeSpan Age => IsLoaded ? _time.GetElapsedTime(Volatile.Read(ref _refreshedAt)) : TimeSpan.Zero;

    /// <summary>Gets the number of values rejected so far as foreign, corrupt, too narrow or of another generation.</summary>
    public long Refused => _refused.Sum();

    /// <summary>Gets the number of values read so far.</summary>
    public long Found => Volatile.Read(ref _found);

    /// <summary>The number of values rejected so far for a reason.</summary>
    public long RefusedFor(EmbeddingFault fault) => Volatile.Read(ref _refused[(int)fault]);

    /// <summary>Loads all items. Until it has finished, searches use the previous items; if it fails, the next refresh loads.</summary>
    /// <exception cref="RedisException">Redis could not be read, or a node of a cluster is not connected.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        _reload = true;
        try
        {
            while (!await TryLoadAsync(cancellationToken).ConfigureAwait(false)) { }
        }
        finally
        {
            _loading = null;
        }
    }

    /// <summary>Applies the changes since the last successful call, and checks whether some of the other items still exist; reloads
    /// everything when another generation has become active or changes were missed.</summary>
    /// <returns>The number of items read.</returns>
    /// <exception cref="RedisException">Redis could not be read. Nothing is lost: the next call continues where this one
    /// started.</exception>
    public async Task<int> RefreshAsync(CancellationToken cancellationToken = default)
    {
        _reload =
            _reload
            || await IsOtherAsync(cancellationToken).ConfigureAwait(false)
            || !await DrainAsync(cancellationToken).ConfigureAwait(false);
        if (_reload)
        {
            await LoadAsync(cancellationToken).ConfigureAwait(false);
            return Count;
        }

        int read = 0;
        foreach (string[] part in _pending.Keys.ToArray().Chunk(_index.ReadBatch))
        {
            await ReadAsync(part, _pending, cancellationToken).ConfigureAwait(false);
            Array.ForEach(part, id => _pending.Remove(id));
            read += part.Length;
        }

        await SweepAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _refreshedAt, _time.GetTimestamp());
        _graphs?.Advance();
        return read;
    }

    /// <summary>Finds the items with the highest scores for a query.</summary>
    /// <param name="query">The user's (or an item's) vector, at least <paramref name="width"/> numbers.</param>
    /// <param name="width">The number of values to use, 1 … the index's width.</param>
    /// <param name="best">Receives the items, best first.</param>
    /// <returns>The number of items found: fewer than requested if there are no more.</returns>
    public int Search(ReadOnlySpan<float> query, int width, Span<Neighbour> best) =>
        _view.Search(query, new SearchOptions { Width = width, Cosine = _index.Cosine }, best);

    /// <summary>Finds a shortlist at a narrow width and reranks it at a wide one: nearly as accurate as a search at the wide width, and
    /// identical when the shortlist holds all items.</summary>
    /// <param name="query">The user's (or an item's) vector, at least <paramref name="width"/> numbers.</param>
    /// <param name="narrow">Width of the first search, 1 … <paramref name="width"/>.</param>
    /// <param name="shortlist">Items that the first search keeps, at least as many as <paramref name="best"/> holds.</param>
    /// <param name="width">Width of the ranking, up to the index's width.</param>
    /// <param name="best">Receives the items, best first, with scores at the wide width.</param>
    /// <returns>The number of items found.</returns>
    public int Funnel(ReadOnlySpan<float> query, int narrow, int shortlist, int width, Span<Neighbour> best)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(narrow, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shortlist, best.Length);
        return _view.Search(
            query,
            new SearchOptions
            {
                Width = width,
                Cosine = _index.Cosine,
                Narrow = narrow,
                Shortlist = shortlist,
            },
            best
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _graphs?.Dispose();
        _view.Table.Dispose();
    }

    /// <summary>Attempts a load.</summary>
    /// <returns>False when it must restart: a value has a wider element type than the first ones, or changes were missed.</returns>
    private async Task<bool> TryLoadAsync(CancellationToken cancellationToken)
    {
        _pending.Clear();
        await _feed.SeekToEndAsync(cancellationToken).ConfigureAwait(false);
        uint generation = await _pointer.GenerationAsync(cancellationToken).ConfigureAwait(false);
        GenerationRecord? record = await RecordAsync(generation, cancellationToken).ConfigureAwait(false);
        int[] widths = _index.Kept(record?.Widths ?? _index.Widths, _options.KeyPerWidth);
        _loading = new IndexLoad(generation, 0, record?.Items ?? 0);
        _reader = new EmbeddingReader(_database, _options with { Generation = generation }, _time);
        var schema = AttributeSchema.Of(record?.Attributes ?? []);
        VectorTable? table =
            generation == 0
                ? new VectorTable(widths, RowElement.Float16)
                : await ReadAllAsync(generation, widths, schema, cancellationToken).ConfigureAwait(false);
        if (table is null)
        {
            return false;
        }

        // Searches still using the previous view keep it alive; locks without waiters need no disposal.
        _graphs?.Attach(table);
        _view = new IndexView(generation, widths, table);
        _graphs?.Advance();
        (_record, _atLeast, _swept, _reload) = (record, null, 0, false);
        Volatile.Write(ref _refreshedAt, _time.GetTimestamp());
        return true;
    }

    /// <summary>Reads all items of a generation.</summary>
    /// <returns>Null when it must restart.</returns>
    private async Task<VectorTable?> ReadAllAsync(
        uint generation,
        int[] widths,
        AttributeSchema schema,
        CancellationToken cancellationToken
    )
    {
        VectorTable? table = null;
        bool withFacts = schema.Fields.Count > 0;
        Task<ItemBatch>? reading = null;
        ItemKeySpace space = (await _pointer.KeysAsync(cancellationToken).ConfigureAwait(false)).Items(
            generation,
            _options.KeyPerWidth ? widths[^1] : null
        );
        long drained = _time.GetTimestamp();

        // The next ids are scanned while these are read.
        await foreach (
            string[] ids in new CatalogueScan(_database, space).ReadAsync(_index.ReadBatch, cancellationToken).ConfigureAwait(false)
        )
        {
            if (reading is not null && !TryApply(await reading.ConfigureAwait(false), widths, schema, ref table))
            {
                return null;
            }

            reading = ItemBatch.ReadAsync(_reader!, ids, widths[^1], withFacts, cancellationToken);
            _loading = _loading! with { Loaded = table?.Count ?? 0 };
            if (_time.GetElapsedTime(drained) > DrainInterval)
            {
                // The feed is capped: it may not hold all changes of a long load.
                if (!await DrainAsync(cancellationToken).ConfigureAwait(false))
                {
                    return null;
                }

                drained = _time.GetTimestamp();
            }
        }

        return reading is not null && !TryApply(await reading.ConfigureAwait(false), widths, schema, ref table)
            ? null
            : table ?? new VectorTable(widths, RowElement.Float16, schema);
    }

    private bool TryApply(ItemBatch batch, int[] widths, AttributeSchema schema, ref VectorTable? table)
    {
        if (batch.Widest is not { } widest)
        {
            using VectorTable none = new(widths, RowElement.Float16);
            batch.Apply(table ?? none, _refused);
            return true;
        }

        RowElement element = widest < _atLeast || _atLeast is null ? widest : _atLeast.Value;
        table ??= new VectorTable(widths, element, schema);
        _found += batch.Apply(table, _refused);
        return element >= table.Element || Widen(element);
    }

    /// <summary>Makes the next load use a wider element type than the table's.</summary>
    private bool Widen(RowElement element)
    {
        _atLeast = element;
        _reload = true;
        return false;
    }

    /// <summary>Drains the feed into the set of ids to read. They remain in it until they have been read.</summary>
    /// <returns>False when changes were missed.</returns>
    private async Task<bool> DrainAsync(CancellationToken cancellationToken)
    {
        FeedRead read;
        do
        {
            _changes.Clear();
            read = await _feed.ReadAsync(_changes, cancellationToken).ConfigureAwait(false);
            if (read.HasGap)
            {
                return false;
            }

            foreach (FeedChange change in _changes.Where(IsNews))
            {
                _pending[change.Id] = change.Check;
            }
        } while (read.HasMore);
        return true;
    }

    private bool IsNews(FeedChange change) =>
        _loading is not null || (change.Generation == _view.Generation && (change.IsRemoved || !_view.Table.Has(in change)));

    /// <summary>Whether the active generation, or the widths or attributes in its record, have changed.</summary>
    private async Task<bool> IsOtherAsync(CancellationToken cancellationToken)
    {
        uint generation = await _pointer.GenerationAsync(cancellationToken).ConfigureAwait(false);
        if (generation != _view.Generation)
        {
            return true;
        }

        if (await RecordAsync(generation, cancellationToken).ConfigureAwait(false) is not { } record)
        {
            return false;
        }

        bool isSame =
            record.Widths.SequenceEqual(_record?.Widths ?? _index.Widths) && record.Attributes.SequenceEqual(_record?.Attributes ?? []);
        _record = isSame ? record : _record;
        return !isSame;
    }

    private async Task<GenerationRecord?> RecordAsync(uint generation, CancellationToken cancellationToken)
    {
        try
        {
            return generation == 0
                ? null
                : await new UserTowerReader(_database, _options with { Generation = generation }, _time)
                    .RecordAsync(cancellationToken)
                    .ConfigureAwait(false);
        }
        catch (TowerMismatchException)
        {
            return null; // readers of the tower get the error
        }
    }

    private async Task ReadAsync(string[] ids, IReadOnlyDictionary<string, uint>? checks, CancellationToken cancellationToken)
    {
        VectorTable table = _view.Table;
        ItemBatch batch = await ItemBatch
            .ReadAsync(_reader!, ids, table.Width, table.Schema.Fields.Count > 0, cancellationToken)
            .ConfigureAwait(false);
        _found += batch.Apply(table, _refused, checks);
        if (batch.Widest < table.Element)
        {
            Widen(batch.Widest.Value);
        }
    }

    /// <summary>Rereads the next items, cycling through all of them.</summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        VectorTable table = _view.Table;
        int rows = Math.Min(_index.SweepItems, table.Used),
            first = _swept;
        string[] ids = [.. Enumerable.Range(0, rows).Select(i => table.IdAt((first + i) % table.Used)).OfType<string>()];
        foreach (string[] part in ids.Chunk(_index.ReadBatch))
        {
            await ReadAsync(part, checks: null, cancellationToken).ConfigureAwait(false);
        }

        _swept = rows == 0 ? 0 : (first + rows) % table.Used;
    }
}
