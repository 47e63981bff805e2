using Streaming.Models.State;

namespace Streaming.Models.Batches;

/// <summary>
/// The distinct item rows of a step, numbered in order of first use: each is encoded once however often it occurs. An
/// open-addressing table that is emptied by a new stamp instead of clearing.
/// </summary>
public sealed class RowSlots
{
    // Key, value and stamp are adjacent: a lookup touches one cache line, not three.
    private Entry[] _entries = new Entry[1024];
    private int[] _rows = new int[256];
    private int _stamp;

    /// <summary>Gets the number of distinct rows.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the rows by slot.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>Clears all rows.</summary>
    public void Clear()
    {
        Count = 0;
        if (++_stamp == int.MaxValue)
        {
            Array.Clear(_entries);
            _stamp = 1;
        }
    }

    /// <summary>Slot of a row; a new row gets the next one.</summary>
    public int Add(int row)
    {
        ref Entry entry = ref Find(row);
        if (entry.Stamp == _stamp)
        {
            return entry.Slot;
        }

        if (2 * (Count + 1) > _entries.Length)
        {
            Rehash();
            entry = ref Find(row);
        }

        Buffers.Extend(ref _rows, Count + 1);
        entry = new Entry(row, Count, _stamp);
        _rows[Count] = row;
        return Count++;
    }

    /// <summary>Slot of a row, or −1 when absent.</summary>
    public int IndexOf(int row)
    {
        ref Entry entry = ref Find(row);
        return entry.Stamp == _stamp ? entry.Slot : -1;
    }

    private ref Entry Find(int row)
    {
        int mask = _entries.Length - 1;
        int at = (int)(((uint)row * 0x9E3779B1u) >> 7) & mask;
        while (_entries[at].Stamp == _stamp && _entries[at].Row != row)
        {
            at = (at + 1) & mask;
        }

        return ref _entries[at];
    }

    private void Rehash()
    {
        (_entries, _stamp) = (new Entry[_entries.Length * 2], 1);
        for (int slot = 0; slot < Count; slot++)
        {
            Find(_rows[slot]) = new Entry(_rows[slot], slot, _stamp);
        }
    }

    private readonly record struct Entry(int Row, int Slot, int Stamp);
}
