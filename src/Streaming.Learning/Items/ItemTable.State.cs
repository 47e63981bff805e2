using Streaming.Core.Embeddings;
using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <content>Saves the table, restores it, and takes over the items of another one.</content>
public sealed partial class ItemTable
{
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

            int row = Admit(item.Key, item.Id, item.Since);
            _heat.Change(row) = Math.Min(item.Heat, MaxHeat);
            _hasRecord.Change(row) = item.HasRecord;
            _events.Change(row) = item.Events;
            _popularity.Change(row) = item.Popularity;
            _newestEvent.Change(row) = item.NewestEvent;
            _lastSeen.Change(row) = item.LastSeen;
            _attributes.Change(row) = item.Attributes;
            Now = Math.Max(Now, item.NewestEvent);
        }

        ReassignedRows.Clear();
        return kept;
    }

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
        tensors.Share("items.since", _since);
        tensors.Share("items.popularity", _popularity);
        tensors.ShareStrings("items.attributes", _attributes);
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
        tensors.Add<long>("items.without_features", _withoutFeatures);
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
        LoadFacts(tensors);
        LoadCounters(tensors);
        LoadMissingFeatures(tensors);
        LoadRemoved(tensors);
        _admission.Load(tensors);
        _gone.Load(tensors);
        Reindex();
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

    private void LoadFacts(TensorReader tensors)
    {
        _since.Data.Clear();
        _attributes.Data.Clear();
        _popularity.Data.Clear();
        if (tensors.Has("items.since")) // older states lack facts
        {
            tensors.Read("items.since", _since.Data);
            tensors.ReadStrings("items.attributes", Capacity, ItemFactsValue.MaxAttributeBytes).CopyTo(_attributes.Data);
        }

        if (tensors.Has("items.popularity")) // older states lack it: the next events begin it
        {
            tensors.Read("items.popularity", _popularity.Data);
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

    private void LoadMissingFeatures(TensorReader tensors)
    {
        _withoutFeatures.AsSpan().Clear();
        if (tensors.Has("items.without_features")) // older states did not count them
        {
            tensors.Read<long>("items.without_features", _withoutFeatures);
        }
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
