using System.Text;
using Streaming.Core.Items;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
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
public sealed class ItemTable
{
    internal const int MaxIdBytes = 256;
    private const byte MaxHeat = 15;
    private readonly TrainingEngine _engine;
    private readonly ItemTableOptions _options;
    private readonly KeyIndex _index;
    private readonly AdmissionFilter _admission;
    private readonly RemovedItems _gone;
    private readonly float[] _features;
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
        _features = new float[engine.Model.FeatureLength];
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

    /// <summary>Applies a catalogue record: admits the item, sets its features, or removes it.</summary>
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

        error = Concatenate(change);
        if (error is not null)
        {
            _counters.RecordsRejected++;
            return -1;
        }

        _gone.Remove(change.ItemKey);
        int row = _index.Find(change.ItemKey);
        row = row >= 0 ? row : Admit(change.ItemKey, change.ItemId);
        _hasRecord.Change(row) = true;
        _lastSeen.Change(row) = Math.Max(_lastSeen[row], Math.Max(Now, change.ProducedTime));
        if (_features.Length > 0)
        {
            _engine.SetFeatures(row, _features);
        }

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

            row = Admit(key, Encoding.UTF8.GetString(id));
        }

        _heat.Change(row) = (byte)Math.Min(_heat[row] + 1, MaxHeat);
        _events.Change(row)++;
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

    /// <summary>The key that seeds the initial values of a fallback row.</summary>
    internal static ulong FallbackKey(int row) => KeyMix.Mix((ulong)row, 0xFA11);

    /// <summary>The items of a stored table of any size, in the order of its rows in use.</summary>
    internal static KnownItem[] Read(TensorReader tensors)
    {
        int[] order = tensors.ReadArray<int>("items.order", Array.MaxLength);
        ulong[] keys = tensors.ReadArray<ulong>("items.keys", Array.MaxLength);
        string?[] ids = tensors.ReadStrings("items.ids", keys.Length, MaxIdBytes);
        byte[] heat = tensors.ReadArray<byte>("items.heat", keys.Length);
        bool[] hasRecord = tensors.ReadArray<bool>("items.has_record", keys.Length);
        long[] events = tensors.ReadArray<long>("items.events", keys.Length);
        long[] newest = tensors.ReadArray<long>("items.newest_event", keys.Length);
        long[] seen = tensors.ReadArray<long>("items.last_seen", keys.Length);
        int count = tensors.ReadValue<int>("items.count");
        int least = new[] { ids.Length, heat.Length, hasRecord.Length, events.Length, newest.Length, seen.Length }.Min();
        if (count < 0 || count > order.Length || order.AsSpan(0, Math.Max(count, 0)).ContainsAnyExceptInRange(0, least - 1))
        {
            throw new StateMismatchException(
                $"The item table's state has {count} items in {order.Length} positions for {least} rows: it is damaged."
            );
        }

        return
        [
            .. order
                .Take(count)
                .Select(row => new KnownItem(
                    keys[row],
                    ids[row] ?? throw new StateMismatchException($"The item table's state has no id for row {row}."),
                    row
                )
                {
                    HasRecord = hasRecord[row],
                    Heat = heat[row],
                    Events = events[row],
                    NewestEvent = newest[row],
                    LastSeen = seen[row],
                }),
        ];
    }

    /// <summary>Assigns rows to another table's items in this empty table; if there are too few rows, to the warmest.</summary>
    /// <returns>The items that now have a row: the first has the first row after the fallback rows, and so on.</returns>
    internal IReadOnlyList<KnownItem> Adopt(IReadOnlyList<KnownItem> items)
    {
        IReadOnlyList<KnownItem> kept =
            items.Count <= _order.Length
                ? items
                :
                [
                    .. items
                        .OrderByDescending(static item => item.Heat)
                        .ThenByDescending(static item => item.LastSeen)
                        .ThenBy(static item => item.Key)
                        .Take(_order.Length),
                ];
        foreach (KnownItem item in kept)
        {
            if (_index.Find(item.Key) >= 0)
            {
                throw new StateMismatchException($"Item '{item.Id}' occurs twice.");
            }

            int row = Admit(item.Key, item.Id);
            _heat.Change(row) = Math.Min(item.Heat, MaxHeat);
            _hasRecord.Change(row) = item.HasRecord;
            _events.Change(row) = item.Events;
            _newestEvent.Change(row) = item.NewestEvent;
            _lastSeen.Change(row) = item.LastSeen;
            Now = Math.Max(Now, item.NewestEvent);
        }

        ReassignedRows.Clear();
        return kept;
    }

    /// <summary>The index of a row in <see cref="Rows"/>.</summary>
    internal int PositionOf(int row) => _position[row];

    internal void Save(TensorSet tensors)
    {
        tensors.AddValue("items.count", Count);
        tensors.AddValue("items.now", Now);
        tensors.Add<int>("items.hands", [_clockCursor, _ageCursor]);
        tensors.Share("items.order", _order);
        tensors.Share("items.keys", _keys);
        tensors.ShareStrings("items.ids", _ids);
        tensors.Share("items.heat", _heat);
        tensors.Share("items.has_record", _hasRecord);
        tensors.Share("items.events", _events);
        tensors.Share("items.newest_event", _newestEvent);
        tensors.Share("items.last_seen", _lastSeen);
        tensors.Add<long>(
            "items.counters",
            [
                _counters.Admitted,
                _counters.EvictedByCapacity,
                _counters.EvictedByAge,
                _counters.Removed,
                _counters.RecordsApplied,
                _counters.RecordsRejected,
            ]
        );
        tensors.Add<ulong>("items.removed.keys", Removed.Select(item => item.Key).ToArray());
        tensors.AddStrings("items.removed.ids", Removed.Select(item => item.Id).ToArray());
        _admission.Save(tensors);
        _gone.Save(tensors);
    }

    internal void Load(TensorReader tensors)
    {
        int count = tensors.ReadValue<int>("items.count");
        int[] cursors = new int[2];
        tensors.Read<int>("items.hands", cursors);
        tensors.Read<int>("items.order", _order.Data);
        CheckOrder(count, cursors);
        Count = count;
        Now = tensors.ReadValue<long>("items.now");
        (_clockCursor, _ageCursor) = (cursors[0], cursors[1]);
        tensors.Read("items.keys", _keys.Data);
        tensors.ReadStrings("items.ids", Capacity, MaxIdBytes).CopyTo(_ids.Data);
        tensors.Read("items.heat", _heat.Data);
        tensors.Read("items.has_record", _hasRecord.Data);
        tensors.Read("items.events", _events.Data);
        tensors.Read("items.newest_event", _newestEvent.Data);
        tensors.Read("items.last_seen", _lastSeen.Data);
        LoadCounters(tensors);
        LoadRemoved(tensors);
        _admission.Load(tensors);
        _gone.Load(tensors);
        Reindex();
    }

    private void StartRows()
    {
        for (int row = 0; row < FallbackRows; row++)
        {
            // Distinct keys: initial values derive from the key, and these must differ.
            _engine.InitializeRow(row, FallbackKey(row));
        }

        for (int i = 0; i < _order.Length; i++)
        {
            _order.Data[i] = FallbackRows + i;
            _position[FallbackRows + i] = i;
        }

        _clockCursor = _ageCursor = FallbackRows;
    }

    private int Admit(ulong key, string id)
    {
        if (Count == _order.Length)
        {
            Evict(Coldest());
            _counters.EvictedByCapacity++;
        }

        int row = _order[Count++];
        _index.Add(key, row);
        _keys.Change(row) = key;
        _ids.Change(row) = id;
        _heat.Change(row) = 1;
        _hasRecord.Change(row) = false;
        _events.Change(row) = 0;
        _newestEvent.Change(row) = 0;
        _lastSeen.Change(row) = Now;
        _engine.InitializeRow(row, key);
        HighWater = Math.Max(HighWater, row + 1);
        ReassignedRows.Add(row);
        _counters.Admitted++;
        return row;
    }

    /// <summary>Advances the clock's cursor over the rows, halving their heat, and stops at the first with none.</summary>
    private int Coldest()
    {
        while (true)
        {
            _clockCursor = _clockCursor + 1 < Capacity ? Math.Max(_clockCursor + 1, FallbackRows) : FallbackRows;
            if (_heat[_clockCursor] == 0)
            {
                return _clockCursor;
            }

            _heat.Change(_clockCursor) >>= 1;
        }
    }

    private void Remove(ItemChange change)
    {
        _gone.Add(change.ItemKey);
        int row = _index.Find(change.ItemKey);
        if (row >= 0)
        {
            Evict(row);
            _counters.Removed++;
            return;
        }

        // The store may still have a vector of it, from a run whose end no checkpoint captured.
        Removed.Add(new RemovedItem(change.ItemKey, change.ItemId));
    }

    private void Evict(int row)
    {
        _engine.ForgetRow(row);
        Removed.Add(new RemovedItem(_keys[row], IdOf(row)));
        _index.Remove(_keys[row]);
        _keys.Change(row) = 0;
        _ids.Change(row) = null;
        _heat.Change(row) = 0;
        _hasRecord.Change(row) = false;
        _events.Change(row) = 0;
        _newestEvent.Change(row) = 0;
        ReassignedRows.Add(row);

        // Swap with the last row in use, which becomes the first free one.
        int last = _order[--Count];
        int hole = _position[row];
        (_order.Change(hole), _order.Change(Count)) = (last, row);
        (_position[last], _position[row]) = (hole, Count);
    }

    private string? Concatenate(ItemChange change)
    {
        int start = 0;
        foreach (FeatureGroup group in _engine.Model.FeatureGroups)
        {
            Span<float> destination = _features.AsSpan(start, group.Length);
            start += group.Length;
            if (!change.Features.TryGetValue(group.Name, out float[]? values))
            {
                destination.Clear();
                continue;
            }

            if (values.Length != group.Length)
            {
                return $"Item '{change.ItemId}': feature group '{group.Name}' has {values.Length} values; the model expects "
                    + $"{group.Length}.";
            }

            int wrong = Array.FindIndex(values, static value => !float.IsFinite(value));
            if (wrong >= 0)
            {
                return $"Item '{change.ItemId}': value {wrong} of feature group '{group.Name}' is {values[wrong]}; allowed: finite "
                    + "numbers.";
            }

            values.CopyTo(destination);
        }

        return null;
    }

    private void CheckOrder(int count, int[] cursors)
    {
        if (count < 0 || count > _order.Length || cursors.Any(cursor => cursor < 0 || cursor >= Capacity))
        {
            throw new StateMismatchException(
                $"The item table's state has {count} items and cursors at {cursors[0]} and {cursors[1]}; the table has {_order.Length} "
                    + "rows for items."
            );
        }

        Array.Fill(_position, -1);
        for (int i = 0; i < _order.Length; i++)
        {
            int row = _order[i];
            if (row < FallbackRows || row >= Capacity || _position[row] >= 0)
            {
                throw new StateMismatchException(
                    $"The item table's state has an invalid row {row} at position {i}: it is damaged, or was written with other settings."
                );
            }

            _position[row] = i;
        }
    }

    private void LoadCounters(TensorReader tensors)
    {
        long[] values = new long[6];
        tensors.Read<long>("items.counters", values);
        _counters = new ItemTableCounters
        {
            Admitted = values[0],
            EvictedByCapacity = values[1],
            EvictedByAge = values[2],
            Removed = values[3],
            RecordsApplied = values[4],
            RecordsRejected = values[5],
        };
    }

    private void LoadRemoved(TensorReader tensors)
    {
        Removed.Clear();
        ulong[] keys = tensors.ReadArray<ulong>("items.removed.keys", Array.MaxLength);
        string?[] ids = tensors.ReadStrings("items.removed.ids", keys.Length, MaxIdBytes);
        for (int i = 0; i < Math.Min(keys.Length, ids.Length); i++)
        {
            Removed.Add(new RemovedItem(keys[i], ids[i] ?? string.Empty));
        }
    }

    private void Reindex()
    {
        _index.Clear();
        ReassignedRows.Clear();
        HighWater = Count == 0 ? 0 : Rows.ToArray().Max() + 1;
        for (int i = 0; i < _order.Length; i++)
        {
            int row = _order[i];
            if ((_ids[row] is not null) != (i < Count))
            {
                throw new StateMismatchException(
                    $"In the item table's state row {row} is {(i < Count ? "in use" : "free")}, but it has "
                        + $"{(i < Count ? "no id" : "an id")}."
                );
            }

            if (i < Count)
            {
                if (_index.Find(_keys[row]) >= 0)
                {
                    throw new StateMismatchException($"The item table's state contains item {_ids[row]} twice.");
                }

                _index.Add(_keys[row], row);
            }
        }
    }
}
