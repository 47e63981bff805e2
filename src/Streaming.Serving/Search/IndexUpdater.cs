namespace Streaming.Serving.Search;

/// <summary>Keeps an index up to date in the background: loads and refreshes it, and retries failures.</summary>
/// <example>
/// <code>
/// using IndexUpdater updater = new(index, TimeSpan.FromSeconds(1), TimeProvider.System);
/// Task updating = updater.RunAsync(stopping);
/// if (updater.Status().CanAnswer) { /* ready */ }
/// </code>
/// </example>
public sealed class IndexUpdater : IDisposable
{
    private readonly EmbeddingIndex _index;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _gate = new(1);
    private volatile Exception? _error;

    /// <summary>Initializes a new instance of the <see cref="IndexUpdater"/> class.</summary>
    /// <param name="index">The index, owned by the caller. Nothing else may refresh it.</param>
    /// <param name="interval">Time from the end of a refresh to the next. 10 ms … 1 h.</param>
    /// <param name="time">The time.</param>
    public IndexUpdater(EmbeddingIndex index, TimeSpan interval, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromMilliseconds(10));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(interval, TimeSpan.FromHours(1));
        (_index, _interval, _time) = (index, interval, time);
    }

    /// <summary>Occurs after each refresh, with its error or null. For logging; handlers must not throw.</summary>
    public event Action<Exception?>? Refreshed;

    /// <summary>Gets why the last refresh failed; null when it succeeded.</summary>
    public Exception? Error => _error;

    /// <summary>The current status of the index.</summary>
    public IndexStatus Status()
    {
        IndexView view = _index.Current;
        IndexPhase phase =
            !_index.IsLoaded ? IndexPhase.Loading
            : view.Generation == 0 ? IndexPhase.Unpublished
            : _error is null ? IndexPhase.Fresh
            : IndexPhase.Stale;
        return new IndexStatus(phase, view.Generation, view.Count, _index.Age, _index.Loading, _error?.Message) { Graph = _index.Graph };
    }

    /// <summary>Refreshes until stopped. A failure affects only one refresh.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception) when (!stopping.IsCancellationRequested)
            {
                // Kept as the status's error and reported to subscribers.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(_interval, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Refreshes now, after any refresh in progress.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _index.RefreshAsync(cancellationToken).ConfigureAwait(false);
            _error = null;
            Refreshed?.Invoke(null);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            _error = exception;
            Refreshed?.Invoke(exception);
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
