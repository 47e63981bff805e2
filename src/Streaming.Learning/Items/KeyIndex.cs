using System.Numerics;

namespace Streaming.Learning.Items;

/// <summary>
/// Map from 64-bit keys to rows: open addressing with linear probing, at most half full, of fixed size. A removal shifts the
/// following entries back, so there are no tombstones and lookups never slow down with age.
/// </summary>
internal sealed class KeyIndex
{
    private const int Empty = -1;
    private readonly ulong[] _keys;
    private readonly int[] _rows;
    private readonly int _mask;
    private readonly int _capacity;

    /// <summary>Creates an empty index.</summary>
    /// <param name="capacity">Maximum number of keys at a time, 1 … 2^29.</param>
    public KeyIndex(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 29);
        int slots = (int)BitOperations.RoundUpToPowerOf2((uint)capacity * 2);
        _capacity = capacity;
        _mask = slots - 1;
        _keys = new ulong[slots];
        _rows = new int[slots];
        Array.Fill(_rows, Empty);
    }

    /// <summary>Gets the number of keys.</summary>
    public int Count { get; private set; }

    /// <summary>The row of a key, or −1.</summary>
    public int Find(ulong key)
    {
        int slot = Home(key);
        while (_rows[slot] != Empty && _keys[slot] != key)
        {
            slot = (slot + 1) & _mask;
        }

        return _rows[slot];
    }

    /// <summary>Adds a key that is not in the index.</summary>
    public void Add(ulong key, int row)
    {
        if (Count == _capacity)
        {
            throw new InvalidOperationException($"The index is full: {_capacity} keys.");
        }

        int slot = Home(key);
        while (_rows[slot] != Empty)
        {
            if (_keys[slot] == key)
            {
                throw new ArgumentException($"The key {key:x16} is already in the index.", nameof(key));
            }

            slot = (slot + 1) & _mask;
        }

        _keys[slot] = key;
        _rows[slot] = row;
        Count++;
    }

    /// <summary>Removes a key.</summary>
    /// <returns>False when the key was absent.</returns>
    public bool Remove(ulong key)
    {
        int slot = Home(key);
        while (_rows[slot] != Empty && _keys[slot] != key)
        {
            slot = (slot + 1) & _mask;
        }

        if (_rows[slot] == Empty)
        {
            return false;
        }

        CloseGap(slot);
        Count--;
        return true;
    }

    /// <summary>Removes all keys.</summary>
    public void Clear()
    {
        Array.Fill(_rows, Empty);
        Count = 0;
    }

    private void CloseGap(int gap)
    {
        for (int next = (gap + 1) & _mask; _rows[next] != Empty; next = (next + 1) & _mask)
        {
            // An entry may move into the gap only if its home is not after the gap (seen from the entry backwards).
            int fromHome = (next - Home(_keys[next])) & _mask;
            int fromGap = (next - gap) & _mask;
            if (fromHome >= fromGap)
            {
                _keys[gap] = _keys[next];
                _rows[gap] = _rows[next];
                gap = next;
            }
        }

        _rows[gap] = Empty;
    }

    private int Home(ulong key) => (int)(KeyMix.Mix(key) & (uint)_mask);
}
