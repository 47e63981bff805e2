namespace Streaming.Learning;

/// <summary>
/// The distinct item rows of a step, numbered in order of first use: each is encoded once however often it occurs. An
/// open-addressing table that is emptied by a new stamp, not by clearing.
/// </summary>
internal sealed class RowSlots
{
    private int[] _keys = new int[1024];
    private int[] _values = new int[1024];
    private int[] _stamps = new int[1024];
    private int[] _rows = new int[256];
    private int _stamp;

    /// <summary>Gets the number of distinct rows.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the rows by slot.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, Count);

    /// <summary>Forgets all rows.</summary>
    public void Clear()
    {
        Count = 0;
        if (++_stamp == int.MaxValue)
        {
            Array.Clear(_stamps);
            _stamp = 1;
        }
    }

    /// <summary>Slot of a row; a new row gets the next one.</summary>
    public int Add(int row)
    {
        int at = Find(row);
        if (_stamps[at] == _stamp)
        {
            return _values[at];
        }

        if (2 * (Count + 1) > _keys.Length)
        {
            Rehash();
            at = Find(row);
        }

        Buffers.Extend(ref _rows, Count + 1);
        (_keys[at], _values[at], _stamps[at]) = (row, Count, _stamp);
        _rows[Count] = row;
        return Count++;
    }

    /// <summary>Slot of a row, −1 when it is not there.</summary>
    public int IndexOf(int row)
    {
        int at = Find(row);
        return _stamps[at] == _stamp ? _values[at] : -1;
    }

    private int Find(int row)
    {
        int mask = _keys.Length - 1;
        int at = (int)(((uint)row * 0x9E3779B1u) >> 7) & mask;
        while (_stamps[at] == _stamp && _keys[at] != row)
        {
            at = (at + 1) & mask;
        }

        return at;
    }

    private void Rehash()
    {
        int size = _keys.Length * 2;
        (_keys, _values, _stamps, _stamp) = (new int[size], new int[size], new int[size], 1);
        for (int slot = 0; slot < Count; slot++)
        {
            int at = Find(_rows[slot]);
            (_keys[at], _values[at], _stamps[at]) = (_rows[slot], slot, _stamp);
        }
    }
}
