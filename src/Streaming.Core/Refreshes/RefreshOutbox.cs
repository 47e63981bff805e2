namespace Streaming.Core.Refreshes;

/// <summary>
/// The queue of embeddings to publish: at most one refresh per item, the newest. A later refresh replaces the waiting one,
/// so memory is bounded by the catalogue however long the store is unavailable, and nothing is lost. Two lanes: what events
/// changed is taken first, what is only upkeep after it.
/// </summary>
public sealed class RefreshOutbox : IDisposable
{
    // What comes while upkeep is written has to wait for it, so upkeep is taken in smaller parts.
    private const int UpkeepPart = 4;
    private readonly Lock _gate = new();
    private readonly RefreshLane _changes = new();
    private readonly RefreshLane _upkeep = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private Task? _signaled;
    private bool _isCompleted;

    /// <summary>Gets the number of waiting items.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _changes.Count + _upkeep.Count;
            }
        }
    }

    /// <summary>Gets the number of items that wait because events changed them.</summary>
    public int Changes
    {
        get
        {
            lock (_gate)
            {
                return _changes.Count;
            }
        }
    }

    /// <summary>Gets the number of items that wait for <see cref="Refresh.IsUpkeep"/> alone.</summary>
    public int Upkeep
    {
        get
        {
            lock (_gate)
            {
                return _upkeep.Count;
            }
        }
    }

    /// <summary>Adds refreshes; each replaces a waiting one of the same item that is not of a later step, and keeps the earlier
    /// produced time.</summary>
    public void Post(ReadOnlySpan<Refresh> refreshes)
    {
        lock (_gate)
        {
            foreach (ref readonly Refresh refresh in refreshes)
            {
                Put(refresh, replaces: true);
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

    /// <summary>Waits for refreshes and takes up to <paramref name="max"/>, changes first, then upkeep for at most a quarter of
    /// that; each lane in order of first posting. One caller at a time.</summary>
    /// <returns>False when the outbox is completed and empty.</returns>
    public ValueTask<bool> TakeAsync(List<Refresh> destination, int max, CancellationToken cancellationToken) =>
        TakeAsync(destination, max, Task.CompletedTask, cancellationToken);

    /// <summary>As without <paramref name="upkeepFrom"/>, but leaves upkeep until that task has completed, or the outbox.</summary>
    /// <returns>False when the outbox is completed and empty.</returns>
    public async ValueTask<bool> TakeAsync(List<Refresh> destination, int max, Task upkeepFrom, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(upkeepFrom);
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            bool held;
            lock (_gate)
            {
                held = !_isCompleted && !upkeepFrom.IsCompleted;
                _changes.Take(destination, max);
                if (!held)
                {
                    _upkeep.Take(destination, Math.Min(max, destination.Count + Math.Max(1, max / UpkeepPart)));
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

            await SignaledAsync(held ? upkeepFrom : null, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts back refreshes that could not be published, unless a newer one of the same item has been posted.</summary>
    public void PutBack(ReadOnlySpan<Refresh> refreshes)
    {
        lock (_gate)
        {
            foreach (ref readonly Refresh refresh in refreshes)
            {
                Put(refresh, replaces: false);
            }
        }

        Signal();
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    /// <param name="refresh">The refresh.</param>
    /// <param name="replaces">Whether it takes the place of a waiting one of the same step.</param>
    private void Put(in Refresh refresh, bool replaces)
    {
        RefreshLane? from =
            _changes.TryGet(refresh.ItemKey, out Refresh waiting) ? _changes
            : _upkeep.TryGet(refresh.ItemKey, out waiting) ? _upkeep
            : null;
        bool isNewer = from is null || refresh.Step > waiting.Step || (refresh.Step == waiting.Step && replaces);
        Refresh put =
            from is null ? refresh
            : isNewer ? refresh.Over(waiting)
            : waiting.Over(refresh);
        RefreshLane to = put.IsUpkeep ? _upkeep : _changes;
        if (from != to)
        {
            from?.Remove(refresh.ItemKey);
        }

        to.Put(put);
    }

    // One wait for the signal at a time: a second would take the signal from the one that is awaited.
    private async Task SignaledAsync(Task? other, CancellationToken cancellationToken)
    {
        _signaled ??= _signal.WaitAsync(cancellationToken);
        Task first = other is null ? _signaled : await Task.WhenAny(_signaled, other).ConfigureAwait(false);
        if (first == _signaled)
        {
            (Task signaled, _signaled) = (_signaled, null);
            await signaled.ConfigureAwait(false);
        }
        else
        {
            cancellationToken.ThrowIfCancellationRequested();
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
