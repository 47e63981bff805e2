using System.Runtime.ExceptionServices;

namespace Streaming.Worker.Stages;

/// <summary>
/// Runs stages concurrently. The first one that fails stops all others, and its error is thrown: errors of stages that are being stopped
/// are consequences.
/// </summary>
internal sealed class StageGroup : IDisposable
{
    private readonly CancellationTokenSource _abort;
    private readonly Action<string, Exception> _failed;
    private readonly Lock _gate = new();
    private readonly List<Task> _stages = [];
    private ExceptionDispatchInfo? _cause;

    /// <summary>Creates a group.</summary>
    /// <param name="failed">Called on the first failure, with the stage's name and the error.</param>
    /// <param name="abort">Stops every stage.</param>
    public StageGroup(Action<string, Exception> failed, CancellationToken abort)
    {
        _abort = CancellationTokenSource.CreateLinkedTokenSource(abort);
        _failed = failed;
    }

    /// <summary>Gets the token that stops every stage: from outside, or because one has failed.</summary>
    public CancellationToken Abort => _abort.Token;

    /// <summary>Adds a stage and starts it.</summary>
    /// <param name="name">Name for the log.</param>
    /// <param name="run">The stage, given <see cref="Abort"/>.</param>
    public Task Start(string name, Func<CancellationToken, Task> run)
    {
        Task stage = ObserveAsync(name, run);
        _stages.Add(stage);
        return stage;
    }

    /// <summary>Waits until all stages have ended.</summary>
    /// <exception cref="OperationCanceledException">Stopped from outside.</exception>
    public async Task WaitAsync()
    {
        await Task.WhenAll(_stages).ConfigureAwait(false);
        _cause?.Throw();
        _abort.Token.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose() => _abort.Dispose();

    private async Task ObserveAsync(string name, Func<CancellationToken, Task> run)
    {
        try
        {
            await run(_abort.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            bool first;
            lock (_gate)
            {
                first = _cause is null && !_abort.IsCancellationRequested;
                _cause = first ? ExceptionDispatchInfo.Capture(exception) : _cause;
            }

            if (first)
            {
                _failed(name, exception);
                await _abort.CancelAsync().ConfigureAwait(false);
            }
        }
    }
}
