using Streaming.Core.Items;

namespace Streaming.Learning.Items;

/// <content>Gives rows to items and takes them back.</content>
public sealed partial class ItemTable
{
    private int Admit(ulong key, string id, long since)
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
        _since.Change(row) = Math.Max(since, 0);
        _popularity.Change(row) = 0;
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
        _since.Change(row) = 0;
        _popularity.Change(row) = 0;
        _attributes.Change(row) = null;
        ReassignedRows.Add(row);

        // Swap with the last row in use, which becomes the first free one.
        int last = _order[--Count];
        int hole = _position[row];
        (_order.Change(hole), _order.Change(Count)) = (last, row);
        (_position[last], _position[row]) = (hole, Count);
    }
}
