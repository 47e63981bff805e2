using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <summary>Items that the catalogue removed and has not re-added: the newest, in bounded memory.</summary>
internal sealed class RemovedItems(int capacity)
{
    private readonly Dictionary<ulong, long> _numbers = [];
    private readonly Queue<(ulong Key, long Number)> _order = new();
    private long _next;

    public bool Contains(ulong key) => _numbers.ContainsKey(key);

    /// <summary>Adds an item; drops the oldest when there are too many.</summary>
    public void Add(ulong key)
    {
        if (capacity == 0)
        {
            return;
        }

        _numbers[key] = _next;
        _order.Enqueue((key, _next++));

        // Items removed or re-added meanwhile are still in the queue, with an outdated number.
        while (_numbers.Count > capacity || _order.Count > 2L * capacity)
        {
            (ulong oldest, long number) = _order.Dequeue();
            if (_numbers.TryGetValue(oldest, out long current) && current == number)
            {
                _numbers.Remove(oldest);
            }
        }
    }

    /// <summary>Drops an item that the catalogue has again.</summary>
    public void Remove(ulong key) => _numbers.Remove(key);

    public void Save(TensorSet tensors) =>
        tensors.Add<ulong>(
            "items.gone",
            _order
                .Where(entry => _numbers.TryGetValue(entry.Key, out long number) && number == entry.Number)
                .Select(static entry => entry.Key)
                .ToArray()
        );

    public void Load(TensorReader tensors)
    {
        _numbers.Clear();
        _order.Clear();
        _next = 0;

        // Older states do not have it.
        foreach (ulong key in tensors.Has("items.gone") ? tensors.ReadArray<ulong>("items.gone", Array.MaxLength) : [])
        {
            Add(key);
        }
    }
}
