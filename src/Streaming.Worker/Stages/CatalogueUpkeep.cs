using System.Diagnostics;
using System.Threading.Channels;
using Streaming.Core.Refreshes;
using Streaming.Learning.Training;

namespace Streaming.Worker.Stages;

/// <summary>
/// Refreshes the catalogue beside training. The trainer's thread only copies a chunk of items between two batches, and posts what this
/// stage found to have moved in the chunk before; finding it, and waiting for the store, is done here, within a share of a core's time.
/// </summary>
internal sealed class CatalogueUpkeep : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan StoreCheck = TimeSpan.FromMilliseconds(20);

    private readonly Trainer _trainer;
    private readonly RefreshOutbox _outbox;
    private readonly TimeSpan _expiry;
    private readonly double _share;
    private readonly int _mostWaiting;
    private readonly TimeProvider _time;
    private readonly RefreshChunk _chunk;
    private readonly Channel<RefreshChunk> _asking = Channel.CreateBounded<RefreshChunk>(1);
    private readonly Channel<RefreshChunk> _filled = Channel.CreateBounded<RefreshChunk>(1);
    private readonly CancellationTokenSource _finishing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _asked;
    private TimeSpan _filling;
    private long _lastAdvance;
    private bool _isAdvanced;

    /// <summary>Creates the stage.</summary>
    /// <param name="trainer">Has the catalogue.</param>
    /// <param name="outbox">Receives what moved.</param>
    /// <param name="settings">Intervals and shares.</param>
    /// <param name="time">Clock.</param>
    public CatalogueUpkeep(Trainer trainer, RefreshOutbox outbox, StageOptions settings, TimeProvider time)
    {
        _trainer = trainer;
        _outbox = outbox;
        _time = time;
        _share = settings.Training.Refresh.MaxTimeShare;
        _expiry =
            settings.Redis.TimeToLive == TimeSpan.Zero
                ? TimeSpan.MaxValue
                : settings.Redis.TimeToLive * ((1 - settings.Redis.TimeToLiveJitter) / 2);
        _mostWaiting = 4 * settings.Redis.BatchSize;
        trainer.StoreAs(settings.Redis.Element);
        _chunk = trainer.CreateRefreshChunk();
    }

    /// <summary>Gets a task that completes when <see cref="Serve"/> has something to do. The trainer's thread.</summary>
    public Task Asked => _asked ??= _asking.Reader.WaitToReadAsync(CancellationToken.None).AsTask();

    /// <summary>Posts what was found, and fills the next chunk, if this stage waits for it. The trainer's thread, between
    /// batches.</summary>
    public void Serve()
    {
        if (!_asking.Reader.TryRead(out RefreshChunk? chunk))
        {
            return;
        }

        long begun = Stopwatch.GetTimestamp();
        _asked = null;
        _trainer.CollectRefresh(chunk, _outbox);
        if (!_isAdvanced || _time.GetElapsedTime(_lastAdvance) >= Interval)
        {
            _trainer.AdvanceRefresh(Milliseconds(), _expiry);
            (_isAdvanced, _lastAdvance) = (true, _time.GetTimestamp());
        }

        _trainer.FillRefresh(chunk);
        _filling = Stopwatch.GetElapsedTime(begun);
        _filled.Writer.TryWrite(chunk);
    }

    /// <summary>Ends this stage and posts everything that is due. The trainer's thread, after the last batch.</summary>
    public void Finish(CancellationToken abort)
    {
        _finishing.Cancel();
        _ended.Task.Wait(abort);
        _chunk.Look();
        _trainer.CollectRefresh(_chunk, _outbox);
        _trainer.CollectRefreshes(_outbox, Milliseconds());
    }

    /// <summary>Looks for what moved until <see cref="Finish"/>.</summary>
    public async Task RunAsync(CancellationToken abort)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(abort, _finishing.Token);
        try
        {
            await RunUntilAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!abort.IsCancellationRequested) { }
        finally
        {
            _ended.SetResult();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _finishing.Dispose();

    private async Task RunUntilAsync(CancellationToken stop)
    {
        TimeSpan owed = TimeSpan.Zero;
        while (true)
        {
            _asking.Writer.TryWrite(_chunk);
            await _filled.Reader.ReadAsync(stop).ConfigureAwait(false);
            if (_chunk.Count == 0)
            {
                await Task.Delay(Interval, _time, stop).ConfigureAwait(false);
                continue;
            }

            long begun = Stopwatch.GetTimestamp();
            _chunk.Look();
            owed += (Stopwatch.GetElapsedTime(begun) + _filling) * ((1 - _share) / _share);
            if (owed >= ShortestRest)
            {
                // A timer may be late: what it gave too much is not given again.
                long rested = Stopwatch.GetTimestamp();
                await Task.Delay(owed, _time, stop).ConfigureAwait(false);
                owed -= Stopwatch.GetElapsedTime(rested);
            }

            while (_outbox.Upkeep > _mostWaiting)
            {
                await Task.Delay(StoreCheck, _time, stop).ConfigureAwait(false);
            }
        }
    }

    private long Milliseconds() => (long)_time.GetElapsedTime(0).TotalMilliseconds;
}
