namespace Streaming.Core.Refreshes;

/// <summary>
/// What waits to be published: one refresh an item at most, the newest. A later refresh of an item takes the place of
/// the one that waits, so memory is bounded by the catalogue however long the store is away, and nothing is lost.
/// </summary>
public sealed class RefreshOutbox : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Refresh> _waiting = [];
    private readonly Queue<ulong> _order = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private bool _completed;

    /// <summary>Gets the number of items that wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Adds refreshes; each replaces the one of the same item that waits, keeping the earlier produced time.</summary>
    public void Post(ReadOnlySpan<Refresh> refreshes)
    {
        lock (_gate)
        {
            foreach (ref readonly Refresh refresh in refreshes)
            {
                Put(refresh);
            }
        }

        Signal();
    }

    /// <summary>Says that nothing more will be posted: takers get what is left, then an end.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
        }

        Signal();
    }

    /// <summary>Waits until something is there and takes up to <paramref name="max"/> refreshes, in order of first posting.</summary>
    /// <returns>False when the outbox is completed and empty.</returns>
    public async ValueTask<bool> TakeAsync(List<Refresh> destination, int max, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            lock (_gate)
            {
                while (destination.Count < max && _order.TryDequeue(out ulong key))
                {
                    if (_waiting.Remove(key, out Refresh refresh))
                    {
                        destination.Add(refresh);
                    }
                }

                if (destination.Count > 0)
                {
                    return true;
                }

                if (_completed)
                {
                    return false;
                }
            }

            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts back what could not be published, unless something newer of the same item has come meanwhile.</summary>
    public void PutBack(ReadOnlySpan<Refresh> refreshes)
    {
        lock (_gate)
        {
            foreach (ref readonly Refresh refresh in refreshes)
            {
                if (_waiting.TryGetValue(refresh.ItemKey, out Refresh newer))
                {
                    _waiting[refresh.ItemKey] = newer with { ProducedTime = Earlier(newer.ProducedTime, refresh.ProducedTime) };
                }
                else
                {
                    Put(refresh);
                }
            }
        }

        Signal();
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private static long Earlier(long a, long b) => a == 0 ? b : b == 0 ? a : Math.Min(a, b);

    private void Put(in Refresh refresh)
    {
        if (_waiting.TryGetValue(refresh.ItemKey, out Refresh older))
        {
            _waiting[refresh.ItemKey] = refresh with { ProducedTime = Earlier(older.ProducedTime, refresh.ProducedTime) };
        }
        else
        {
            _waiting[refresh.ItemKey] = refresh;
            _order.Enqueue(refresh.ItemKey);
        }
    }

    private void Signal()
    {
        lock (_gate)
        {
            if (_signal.CurrentCount == 0)
            {
                _signal.Release();
            }
        }
    }
}
