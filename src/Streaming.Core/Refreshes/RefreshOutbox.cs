namespace Streaming.Core.Refreshes;

/// <summary>
/// The queue of embeddings to publish: at most one refresh per item, the newest. A later refresh replaces the waiting one,
/// so memory is bounded by the catalogue however long the store is unavailable, and nothing is lost.
/// </summary>
public sealed class RefreshOutbox : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Refresh> _waiting = [];
    private readonly Queue<ulong> _order = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private bool _isCompleted;

    /// <summary>Gets the number of waiting items.</summary>
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

    /// <summary>Adds refreshes; each replaces the waiting one of the same item and keeps the earlier produced time.</summary>
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

    /// <summary>Signals that nothing more will be posted: takers drain the rest and then get false.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
        }

        Signal();
    }

    /// <summary>Waits for refreshes and takes up to <paramref name="max"/>, in order of first posting.</summary>
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

                if (_isCompleted)
                {
                    return false;
                }
            }

            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts back refreshes that could not be published, unless a newer one of the same item has been posted.</summary>
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

    private static long Earlier(long a, long b) =>
        a == 0 ? b
        : b == 0 ? a
        : Math.Min(a, b);

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
