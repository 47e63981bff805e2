using System.Numerics;
using System.Runtime.InteropServices;

namespace Streaming.Learning.Items;

/// <summary>
/// Map from 64-bit keys to rows: open addressing with linear probing, at most half full, of fixed size. A removal shifts the
/// following entries back, so there are no tombstones and lookups never slow down with age.
/// </summary>
internal sealed class KeyIndex
{
    private const int Empty = -1;
    private readonly Entry[] _entries;
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
        _entries = new Entry[slots];
        Clear();
    }

    /// <summary>Gets the number of keys.</summary>
    public int Count { get; private set; }

    /// <summary>The row of a key, or −1.</summary>
    public int Find(ulong key)
    {
        for (int slot = Home(key); ; slot = (slot + 1) & _mask)
        {
            ref readonly Entry entry = ref _entries[slot];
            if (entry.Row == Empty || entry.Key == key)
            {
                return entry.Row;
            }
        }
    }

    /// <summary>Adds a key that is not in the index.</summary>
    public void Add(ulong key, int row)
    {
        if (Count == _capacity)
        {
            throw new InvalidOperationException($"The index is full: {_capacity} keys.");
        }

        int slot = Home(key);
        while (_entries[slot].Row != Empty)
        {
            if (_entries[slot].Key == key)
            {
                throw new ArgumentException($"The key {key:x16} is already in the index.", nameof(key));
            }

            slot = (slot + 1) & _mask;
        }

        _entries[slot] = new Entry(key, row);
        Count++;
    }

    /// <summary>Removes a key.</summary>
    /// <returns>False when the key was absent.</returns>
    public bool Remove(ulong key)
    {
        int slot = Home(key);
        while (_entries[slot].Row != Empty && _entries[slot].Key != key)
        {
            slot = (slot + 1) & _mask;
        }

        if (_entries[slot].Row == Empty)
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
        Array.Fill(_entries, new Entry(0, Empty));
        Count = 0;
    }

    private void CloseGap(int gap)
    {
        for (int next = (gap + 1) & _mask; _entries[next].Row != Empty; next = (next + 1) & _mask)
        {
            // An entry may move into the gap only if its home is not after the gap (seen from the entry backwards).
            int fromHome = (next - Home(_entries[next].Key)) & _mask;
            int fromGap = (next - gap) & _mask;
            if (fromHome >= fromGap)
            {
                _entries[gap] = _entries[next];
                gap = next;
            }
        }

        _entries[gap] = new Entry(0, Empty);
    }

    private int Home(ulong key) => (int)(KeyMix.Mix(key) & (uint)_mask);

    /// <summary>A key next to its row, without padding: a lookup reads one cache line, and the index is as small as two arrays.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = sizeof(int))]
    private readonly record struct Entry(ulong Key, int Row);
}
