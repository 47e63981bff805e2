namespace Streaming.Core.Refreshes;

/// <summary>Refreshes in order of posting, one per item. Not thread-safe.</summary>
internal sealed class RefreshLane
{
    private const int Slack = 1024;
    private readonly Dictionary<ulong, Refresh> _waiting = [];
    private readonly Queue<ulong> _order = new();

    /// <summary>Gets the number of waiting items.</summary>
    public int Count => _waiting.Count;

    /// <summary>Adds an item at the end, or replaces its waiting refresh in place.</summary>
    public void Put(in Refresh refresh)
    {
        if (!_waiting.ContainsKey(refresh.ItemKey))
        {
            _order.Enqueue(refresh.ItemKey);
            Trim();
        }

        _waiting[refresh.ItemKey] = refresh;
    }

    /// <summary>Finds an item's refresh.</summary>
    public bool TryGet(ulong key, out Refresh refresh) => _waiting.TryGetValue(key, out refresh);

    /// <summary>Removes an item's refresh.</summary>
    public void Remove(ulong key) => _waiting.Remove(key);

    /// <summary>Moves refreshes to a list, the longest waiting first, until it has <paramref name="max"/>.</summary>
    public void Take(List<Refresh> destination, int max)
    {
        while (destination.Count < max && _order.TryDequeue(out ulong key))
        {
            if (_waiting.Remove(key, out Refresh refresh))
            {
                destination.Add(refresh);
            }
        }
    }

    /// <summary>Drops the places of removed items: otherwise items that come and go would fill the queue.</summary>
    private void Trim()
    {
        if (_order.Count <= (2 * _waiting.Count) + Slack)
        {
            return;
        }

        var seen = new HashSet<ulong>();
        for (int left = _order.Count; left > 0; left--)
        {
            ulong key = _order.Dequeue();
            if (_waiting.ContainsKey(key) && seen.Add(key))
            {
                _order.Enqueue(key);
            }
        }
    }
}
