using System.Text;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Learning.Engine;
using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <summary>
/// Maps items to rows of the engine. Bounded: an item is admitted after some events or by its catalogue record, and loses its row
/// when it is removed, has had no event for too long, or is the coldest when another needs a row.
/// </summary>
/// <remarks>
/// The first <see cref="FallbackRows"/> rows belong to no item: items without a row share them by hash. The coldest item is found
/// by the clock algorithm over small hit counts (generalised CLOCK, Smith 1978): a bounded, deterministic approximation of an
/// exact order. Idle time is event time: a replay of old events evicts the same items as the live stream.
/// </remarks>
public sealed partial class ItemTable
{
    internal const int MaxIdBytes = 256;
    private const byte MaxHeat = 15;
    private readonly TrainingEngine _engine;
    private readonly ItemTableOptions _options;
    private readonly KeyIndex _index;
    private readonly AdmissionFilter _admission;
    private readonly RemovedItems _gone;
    private readonly FeatureReader _features;
    private readonly long[] _withoutFeatures;
    private readonly long _evictAfter;

    // A permutation of the rows after the fallback rows: those in use first, then the free ones; and its inverse.
    private readonly PagedArray<int> _order;
    private readonly int[] _position;
    private readonly PagedArray<ulong> _keys;
    private readonly PagedArray<string?> _ids;
    private readonly PagedArray<byte> _heat;
    private readonly PagedArray<bool> _hasRecord;
    private readonly PagedArray<long> _events;
    private readonly PagedArray<long> _newestEvent;
    private readonly PagedArray<long> _lastSeen;
    private readonly PagedArray<long> _since;
    private readonly PagedArray<double> _popularity;
    private readonly PagedArray<string?> _attributes;
    private int _clockCursor;
    private int _ageCursor;
    private ItemTableCounters _counters;

    /// <summary>Creates an empty table and initialises the engine's fallback rows.</summary>
    /// <param name="engine">The engine whose rows these are.</param>
    /// <param name="options">Admission and eviction.</param>
    public ItemTable(TrainingEngine engine, ItemTableOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        Capacity = engine.Model.ItemCapacity;
        options.Validate(Capacity);
        _engine = engine;
        _options = options;
        FallbackRows = options.FallbackRowsFor(Capacity);
        _evictAfter = (long)Math.Min(options.EvictAfter.TotalMilliseconds, long.MaxValue / 4);
        _features = new FeatureReader(engine.Model.FeatureGroups);
        _withoutFeatures = new long[engine.Model.FeatureGroups.Count];
        _index = new KeyIndex(Capacity);
        _admission = new AdmissionFilter(options.AdmitAfter, options.AdmissionCapacity);
        _gone = new RemovedItems(options.RememberRemoved);
        _order = new PagedArray<int>(Capacity - FallbackRows);
        _position = new int[Capacity];
        _keys = new PagedArray<ulong>(Capacity);
        _ids = new PagedArray<string?>(Capacity);
        _heat = new PagedArray<byte>(Capacity);
        _hasRecord = new PagedArray<bool>(Capacity);
        _events = new PagedArray<long>(Capacity);
        _newestEvent = new PagedArray<long>(Capacity);
        _lastSeen = new PagedArray<long>(Capacity);
        _since = new PagedArray<long>(Capacity);
        _popularity = new PagedArray<double>(Capacity);
        _attributes = new PagedArray<string?>(Capacity);
        StartRows();
    }

    /// <summary>Gets the number of rows, including fallback rows.</summary>
    public int Capacity { get; }

    /// <summary>Gets the number of leading rows that belong to no item.</summary>
    public int FallbackRows { get; }

    /// <summary>Gets the number of items that have a row.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the rows of all items, in an arbitrary but deterministic order. Valid until the next change.</summary>
    public ReadOnlySpan<int> Rows => _order.Data[..Count];

    /// <summary>Gets the counters.</summary>
    public ItemTableCounters Counters => _counters;

    /// <summary>Gets for each feature group how many of the applied records lacked it: their items have zeros there.</summary>
    public ReadOnlySpan<long> WithoutFeatures => _withoutFeatures;

    /// <summary>Gets the newest event time seen, Unix milliseconds: the clock for idle time.</summary>
    public long Now { get; private set; }

    /// <summary>Gets one more than the highest row that ever belonged to an item.</summary>
    internal int HighWater { get; private set; }

    /// <summary>Gets items that lost their rows; the code that publishes removals clears the list.</summary>
    internal List<RemovedItem> Removed { get; } = [];

    /// <summary>Gets rows that were given to or taken from an item; the code that keeps state by row resets it and clears the
    /// list.</summary>
    internal List<int> ReassignedRows { get; } = [];

    /// <summary>The row of an item, or −1.</summary>
    public int Find(ulong key) => _index.Find(key);

    /// <summary>The row of an item, or the fallback row that it shares.</summary>
    public int RowOf(ulong key)
    {
        int row = _index.Find(key);
        return row >= 0 ? row : KeyMix.Reduce(KeyMix.Mix(key), FallbackRows);
    }

    /// <summary>The key of the item that has a row. 0 for a row without an item.</summary>
    public ulong KeyOf(int row) => _keys[row];

    /// <summary>The id of the item that has a row.</summary>
    public string IdOf(int row) => _ids[row] ?? throw new ArgumentOutOfRangeException(nameof(row), row, "No item has this row.");

    /// <summary>Whether an item has this row.</summary>
    public bool IsLive(int row) => _ids[row] is not null;

    /// <summary>Gets how many events of the row's item have been trained on since it got the row: each event counts once, also across
    /// restarts.</summary>
    public long EventsOf(int row) => _events[row];

    /// <summary>Time of the newest event of the item that has a row, Unix milliseconds; 0 when it had none.</summary>
    public long NewestEvent(int row) => _newestEvent[row];

    /// <summary>Gets what is published of the row's item in addition to its embedding.</summary>
    public ItemFacts FactsOf(int row) =>
        new(_attributes[row], _events[row], _since[row]) { Popularity = (long)Math.Round(_popularity[row]) };

    /// <summary>Applies a catalogue record: admits the item, sets its features and attributes, or removes it.</summary>
    /// <param name="change">The record.</param>
    /// <param name="error">Why the record was rejected; null otherwise. A rejected record changes nothing.</param>
    /// <returns>The item's row; −1 when it was removed or rejected.</returns>
    public int Apply(ItemChange change, out string? error)
    {
        ArgumentNullException.ThrowIfNull(change);
        error = null;
        if (change.IsRemoved)
        {
            Remove(change);
            return -1;
        }

        error = _features.Read(change);
        if (error is not null)
        {
            _counters.RecordsRejected++;
            return -1;
        }

        _gone.Remove(change.ItemKey);
        int row = _index.Find(change.ItemKey);
        row = row >= 0 ? row : Admit(change.ItemKey, change.ItemId, change.ProducedTime);
        _hasRecord.Change(row) = true;
        _attributes.Change(row) = change.Attributes;
        _lastSeen.Change(row) = Math.Max(_lastSeen[row], Math.Max(Now, change.ProducedTime));
        if (_features.Values.Length > 0)
        {
            _engine.SetFeatures(row, _features.Values);
        }

        CountMissingFeatures();
        _counters.RecordsApplied++;
        return row;
    }

    /// <summary>Counts an event of an item; admits the item if due, unless the catalogue removed it.</summary>
    /// <param name="key">The item.</param>
    /// <param name="id">The item's id, UTF-8.</param>
    /// <param name="eventTime">When the event happened, Unix milliseconds.</param>
    /// <returns>The item's row, or −1 when it has none yet.</returns>
    public int Touch(ulong key, ReadOnlySpan<byte> id, long eventTime)
    {
        Now = Math.Max(Now, eventTime);
        int row = _index.Find(key);
        if (row < 0)
        {
            // Without id embeddings and without a record nothing would distinguish such items. What the catalogue removed stays removed:
            // events may be late, and the two topics have no common order.
            if (!_engine.Model.ItemIds || _options.CatalogueOnly || _gone.Contains(key) || !_admission.Count(key))
            {
                return -1;
            }

            row = Admit(key, Encoding.UTF8.GetString(id), eventTime);
        }

        _heat.Change(row) = (byte)Math.Min(_heat[row] + 1, MaxHeat);
        _events.Change(row)++;
        _popularity.Change(row) = Popularity.After(_popularity[row], eventTime, _options.PopularityHalfLife.TotalMilliseconds);
        _newestEvent.Change(row) = Math.Max(_newestEvent[row], eventTime);
        _lastSeen.Change(row) = Math.Max(_lastSeen[row], eventTime);
        return row;
    }

    /// <summary>Evicts idle items among the next <paramref name="rows"/> rows: called every step, it cycles through all.</summary>
    public void EvictIdle(int rows)
    {
        for (int i = 0; i < rows; i++)
        {
            _ageCursor = _ageCursor + 1 < Capacity ? Math.Max(_ageCursor + 1, FallbackRows) : FallbackRows;
            if (IsLive(_ageCursor) && !_hasRecord[_ageCursor] && Now - _lastSeen[_ageCursor] > _evictAfter)
            {
                Evict(_ageCursor);
                _counters.EvictedByAge++;
            }
        }
    }

    /// <summary>Initialises the rows of another, untrained engine for the same items; sets no features.</summary>
    /// <param name="engine">An engine with the same number of rows.</param>
    public void InitializeRows(TrainingEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentOutOfRangeException.ThrowIfNotEqual(engine.Model.ItemCapacity, Capacity, nameof(engine));
        InitializeFallbackRows(engine);
        foreach (int row in Rows)
        {
            engine.InitializeRow(row, _keys[row]);
        }
    }

    private void CountMissingFeatures()
    {
        for (int group = 0; group < _withoutFeatures.Length; group++)
        {
            _withoutFeatures[group] += _features.Missing[group] ? 1 : 0;
        }
    }

    /// <summary>The key that seeds the initial values of a fallback row.</summary>
    internal static ulong FallbackKey(int row) => KeyMix.Mix((ulong)row, 0xFA11);

    /// <summary>The index of a row in <see cref="Rows"/>.</summary>
    internal int PositionOf(int row) => _position[row];

    private void InitializeFallbackRows(TrainingEngine engine)
    {
        for (int row = 0; row < FallbackRows; row++)
        {
            // Distinct keys: initial values derive from the key, and these must differ.
            engine.InitializeRow(row, FallbackKey(row));
        }
    }

    private void StartRows()
    {
        InitializeFallbackRows(_engine);
        for (int i = 0; i < _order.Length; i++)
        {
            _order.Data[i] = FallbackRows + i;
            _position[FallbackRows + i] = i;
        }

        _clockCursor = _ageCursor = FallbackRows;
    }
}
