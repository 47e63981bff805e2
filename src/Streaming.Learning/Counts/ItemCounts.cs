using Streaming.Learning.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Counts;

/// <summary>
/// Statistics of a stream's items by counting alone, updated with each event before its batch is trained on: how often an item
/// occurred, with which of the user's latest items, and which item followed it. Vectors generalise, counts memorise.
/// </summary>
/// <remarks>
/// Counts decay: each event weighs more than the one before, doubling every half-life, and all weights are rescaled when they
/// grow large. Memory is bounded (<see cref="CountLists"/>), and an event allocates nothing once the lists exist. Lists hold
/// item keys: an entry whose item has lost its row is ignored, and valid again when the item returns. Part of the trainer's
/// state: the same batches give bitwise identical counts.
/// </remarks>
internal sealed class ItemCounts
{
    private const double LargestWeight = 1e15;
    private readonly CountOptions _options;
    private readonly ItemTable _items;
    private readonly double _growth;
    private readonly SlotPool _pool;
    private readonly PagedArray<float> _events;
    private readonly int[] _counted;
    private double _weight = 1;

    /// <summary>Creates empty counts.</summary>
    /// <param name="items">Maps items to rows.</param>
    /// <param name="options">Bounds.</param>
    public ItemCounts(ItemTable items, CountOptions options)
    {
        _items = items;
        _options = options;
        _growth = Math.Pow(2, 1 / options.HalfLife);
        _pool = new SlotPool(options.MaxBytes);
        int rows = IsOn ? items.Capacity : 0;
        _events = new PagedArray<float>(rows);
        _counted = new int[options.Window];
        Neighbours = new CountLists("counts.neighbours", rows, _pool);
        Successors = new CountLists("counts.successors", rows, _pool);
    }

    /// <summary>Gets whether counting is enabled.</summary>
    public bool IsOn => _options.MaxBytes > 0;

    /// <summary>Gets the number of a user's latest items that an event is counted with.</summary>
    public int Window => _options.Window;

    /// <summary>Gets the items that occurred together with a row's, in either order.</summary>
    public CountLists Neighbours { get; }

    /// <summary>Gets the items that directly followed a row's.</summary>
    public CountLists Successors { get; }

    /// <summary>Gets the size of lists, positions and event counts in bytes.</summary>
    public long Bytes => _pool.Bytes + (_events.Length * (sizeof(float) + (2L * sizeof(long))));

    /// <summary>Gets the current weight of an event.</summary>
    public float Unit => (float)_weight;

    /// <summary>Gets the share of the counted weight that the lists lost, 0 … 1.</summary>
    public double LostShare => Neighbours.Added > 0 ? (Neighbours.Lost + Successors.Lost) / (Neighbours.Added + Successors.Added) : 0;

    /// <summary>The weight of a row's events, in the unit of the lists' weights.</summary>
    public float EventsOf(int row) => _events[row];

    /// <summary>Loads what counting an event reads: its lists are all over memory, and waiting for one after the other would take longer
    /// than counting.</summary>
    /// <param name="history">The user's items before it, oldest first.</param>
    /// <param name="item">Its item.</param>
    public void Expect(ReadOnlySpan<ulong> history, ulong item)
    {
        if (!IsOn)
        {
            return;
        }

        Expect(Neighbours, item);
        foreach (ulong seen in history[Math.Max(0, history.Length - Window)..])
        {
            Expect(Neighbours, seen);
        }

        if (history.Length > 0)
        {
            Expect(Successors, history[^1]);
        }
    }

    /// <summary>Counts an event.</summary>
    /// <param name="history">The user's items before it, oldest first.</param>
    /// <param name="item">Its item.</param>
    /// <returns>The rows of the items that it was counted with; −1 for one without a row. Valid until the next call.</returns>
    public ReadOnlySpan<int> Learn(ReadOnlySpan<ulong> history, ulong item)
    {
        if (!IsOn)
        {
            return [];
        }

        _weight *= _growth;
        float weight = (float)_weight;
        int row = _items.Find(item);
        if (row >= 0)
        {
            _events.Change(row) += weight;
        }

        ReadOnlySpan<ulong> window = history[Math.Max(0, history.Length - Window)..];
        for (int i = 0; i < window.Length; i++)
        {
            _counted[i] = _items.Find(window[i]);
            if (window[i] != item)
            {
                Add(Neighbours, _counted[i], item, weight);
                Add(Neighbours, row, window[i], weight);
            }
        }

        if (window.Length > 0)
        {
            Add(Successors, _counted[window.Length - 1], item, weight);
        }

        if (_weight > LargestWeight)
        {
            ScaleBack();
        }

        return _counted.AsSpan(0, window.Length);
    }

    /// <summary>Reduces the weight of everything counted so far, relative to what follows.</summary>
    /// <param name="factor">By how much, above 0, at most 1.</param>
    public void Fade(double factor)
    {
        if (!IsOn)
        {
            return;
        }

        _weight /= factor;
        if (_weight > LargestWeight)
        {
            ScaleBack();
        }
    }

    /// <summary>Clears a row that is given to another item.</summary>
    public void Forget(int row)
    {
        if (IsOn)
        {
            _events.Change(row) = 0;
            Neighbours.Clear(row);
            Successors.Clear(row);
        }
    }

    public void Save(TensorSet tensors)
    {
        if (!IsOn)
        {
            return;
        }

        tensors.AddValue("counts.weight", _weight);
        tensors.Share("counts.events", _events, _items.HighWater);
        _pool.Save(tensors, "counts");
        Neighbours.Save(tensors, _items.HighWater);
        Successors.Save(tensors, _items.HighWater);
    }

    /// <summary>Reads the output of <see cref="Save"/>. A state without counts leaves them empty.</summary>
    public void Load(TensorReader tensors)
    {
        if (!IsOn || !tensors.Has("counts.weight"))
        {
            return;
        }

        _weight = tensors.ReadValue<double>("counts.weight");
        _events.Data.Clear();
        tensors.ReadArray<float>("counts.events", _events.Length).CopyTo(_events.Data);
        _pool.Load(tensors, "counts");
        Neighbours.Load(tensors);
        Successors.Load(tensors);
    }

    /// <summary>Copies the counts of another item table.</summary>
    /// <param name="tensors">The state.</param>
    /// <param name="oldRows">The other row for each row; −1: none.</param>
    public void Adopt(TensorReader tensors, int[] oldRows)
    {
        if (!IsOn || !tensors.Has("counts.weight"))
        {
            return;
        }

        var pool = new SlotPool(0);
        pool.Load(tensors, "counts");
        Adopt(tensors, pool, Neighbours, "counts.neighbours", oldRows);
        Adopt(tensors, pool, Successors, "counts.successors", oldRows);
        _weight = tensors.ReadValue<double>("counts.weight");
        float[] events = tensors.ReadArray<float>("counts.events", Array.MaxLength);
        for (int row = 0; row < oldRows.Length; row++)
        {
            _events.Change(row) = oldRows[row] >= 0 && oldRows[row] < events.Length ? events[oldRows[row]] : 0;
        }
    }

    private static void Adopt(TensorReader tensors, SlotPool pool, CountLists lists, string name, int[] oldRows)
    {
        var other = new CountLists(name, tensors.Length($"{name}.places"), pool);
        other.Load(tensors);
        lists.Adopt(other, oldRows);
    }

    private void Expect(CountLists lists, ulong key)
    {
        int row = _items.Find(key);
        if (row >= 0)
        {
            lists.Expect(row);
        }
    }

    private static void Add(CountLists lists, int row, ulong key, float weight)
    {
        if (row >= 0)
        {
            lists.Add(row, key, weight);
        }
    }

    private void ScaleBack()
    {
        float factor = (float)(1 / _weight);
        _pool.Scale(factor);
        Neighbours.Scale(factor);
        Successors.Scale(factor);
        _events.Touch(0, _events.Length);
        System.Numerics.Tensors.TensorPrimitives.Multiply(_events.Data, factor, _events.Data);
        _weight = 1;
    }
}
