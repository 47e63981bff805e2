using System.Numerics;
using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <summary>
/// Counts events of items without a row, in bounded memory: sets of eight counters; a new item replaces the one with the lowest
/// count of its set. An item can lose its count to others, so it may be admitted later, never earlier.
/// </summary>
internal sealed class AdmissionFilter
{
    private const int Ways = 8;
    private readonly ulong[] _keys;
    private readonly int[] _counts;
    private readonly int _threshold;
    private readonly int _setMask;

    /// <summary>Creates an empty filter.</summary>
    /// <param name="threshold">Number of events that admit an item, 1 and up.</param>
    /// <param name="capacity">Items counted at a time, 1 and up; rounded up to a power of two, at least 8.</param>
    public AdmissionFilter(int threshold, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _threshold = threshold;

        // With a threshold of one nothing is ever counted: a single set suffices.
        int size = threshold == 1 ? Ways : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, Ways));
        _keys = new ulong[size];
        _counts = new int[size];
        _setMask = (size / Ways) - 1;
    }

    /// <summary>Counts an event of an item without a row.</summary>
    /// <returns>True when the item is to be admitted; its count then restarts.</returns>
    public bool Count(ulong key)
    {
        if (_threshold == 1)
        {
            return true;
        }

        int slot = Slot(key);
        if (_keys[slot] != key || _counts[slot] == 0)
        {
            _keys[slot] = key;
            _counts[slot] = 0;
        }

        if (++_counts[slot] < _threshold)
        {
            return false;
        }

        _counts[slot] = 0;
        return true;
    }

    public void Save(TensorSet tensors)
    {
        tensors.Add<ulong>("items.admission.keys", _keys);
        tensors.Add<int>("items.admission.counts", _counts);
    }

    public void Load(TensorReader tensors)
    {
        tensors.Read<ulong>("items.admission.keys", _keys);
        tensors.Read<int>("items.admission.counts", _counts);
    }

    /// <summary>The slot of the key, or the one it replaces: the first with the lowest count of its set.</summary>
    private int Slot(ulong key)
    {
        int start = (int)(KeyMix.Mix(key) & (uint)_setMask) * Ways;
        int least = start;
        for (int slot = start; slot < start + Ways; slot++)
        {
            if (_keys[slot] == key && _counts[slot] > 0)
            {
                return slot;
            }

            least = _counts[slot] < _counts[least] ? slot : least;
        }

        return least;
    }
}
