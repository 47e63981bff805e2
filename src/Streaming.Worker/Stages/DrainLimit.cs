namespace Streaming.Worker.Stages;

/// <summary>Bounds how long a publishing stage may take once nothing more arrives: the store may be unavailable.</summary>
internal static class DrainLimit
{
    /// <summary>
    /// Publishes until everything is published. Once the upstream stage has completed, publishing has a limited time: what is left is in
    /// the checkpoint and is published on restart.
    /// </summary>
    /// <param name="upstream">Completes when nothing more will arrive.</param>
    /// <param name="publish">Publishes until there is nothing left.</param>
    /// <param name="limit">Time to publish the rest.</param>
    /// <param name="left">Called if the time was too short.</param>
    /// <param name="abort">Stops at once.</param>
    /// <exception cref="OperationCanceledException"><paramref name="abort"/> was cancelled.</exception>
    public static async Task RunAsync(
        Task upstream,
        Func<CancellationToken, Task> publish,
        TimeSpan limit,
        Action left,
        CancellationToken abort
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(abort);
        Task publishing = publish(stop.Token);
        if (await Task.WhenAny(upstream, publishing).ConfigureAwait(false) == upstream && !abort.IsCancellationRequested)
        {
            stop.CancelAfter(limit);
        }

        try
        {
            await publishing.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!abort.IsCancellationRequested)
        {
            left();
        }
    }
}
