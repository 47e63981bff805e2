namespace Streaming.Worker.Stages;

/// <summary>What a rank's rounds have to know of its reading.</summary>
/// <param name="hasCatalogue">Whether this rank's part of the catalogue has been read.</param>
/// <param name="isCutShort">Whether the last records were dropped; asked once the input has ended.</param>
/// <param name="stopping">Whether this process was told to stop.</param>
internal sealed class RankedSource(Func<bool> hasCatalogue, Func<bool> isCutShort, CancellationToken stopping) : IDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private bool _hasCatalogue;

    /// <summary>Gets a value indicating whether this rank's part of the catalogue has been read: then its events wait for the catalogue
    /// of the others.</summary>
    public bool HasCatalogue => _hasCatalogue = _hasCatalogue || hasCatalogue();

    /// <summary>Gets a value indicating whether the last records were dropped, once the input has ended.</summary>
    public bool IsCutShort => isCutShort();

    /// <summary>Gets a value indicating whether this rank stops: it was told to, or another one was.</summary>
    public bool IsStopping => _stop.IsCancellationRequested;

    /// <summary>Gets the token that stops reading.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Stops reading, because another rank does.</summary>
    public void Stop()
    {
        if (!_stop.IsCancellationRequested)
        {
            _stop.Cancel();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();
}
