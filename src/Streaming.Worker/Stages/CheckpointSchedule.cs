using Microsoft.Extensions.Logging;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>
/// Decides when to take checkpoints. At each interval in which something has changed, also when no events arrive, it requests a batch
/// with the batcher's snapshot; after that batch's step the states of both sides belong together and are written in the background. The
/// last batch carries a snapshot, too.
/// </summary>
/// <remarks>Called by the training thread, one call at a time.</remarks>
internal sealed class CheckpointSchedule : IDisposable
{
    private readonly CheckpointStore _store;
    private readonly TimeSpan _interval;
    private readonly Batcher _batcher;
    private readonly Action<IReadOnlyList<StreamPosition>> _written;
    private readonly WorkerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private Task _writing = Task.CompletedTask;
    private long _last;
    private bool _failed;
    private bool _isChanged;

    /// <summary>Creates the schedule; the first interval begins now.</summary>
    /// <param name="store">Where checkpoints go.</param>
    /// <param name="interval">Time between two.</param>
    /// <param name="batcher">Provides snapshots.</param>
    /// <param name="written">Receives the positions of each checkpoint that has been written.</param>
    /// <param name="metrics">Counters.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public CheckpointSchedule(
        CheckpointStore store,
        TimeSpan interval,
        Batcher batcher,
        Action<IReadOnlyList<StreamPosition>> written,
        WorkerMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        _store = store;
        _interval = interval;
        _batcher = batcher;
        _written = written;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _last = time.GetTimestamp();
    }

    /// <summary>Gets whether the last attempt failed. Any thread.</summary>
    public bool Failed => Volatile.Read(ref _failed);

    /// <summary>After a batch's step: takes the batch's snapshot, if it has one, and requests the next when it is due.</summary>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public void After(Batch batch, Trainer trainer)
    {
        _isChanged = true;
        if (batch.Snapshot is { } ingest)
        {
            batch.Snapshot = null;
            Begin(batch, ingest, trainer);
        }
        else
        {
            AskIfDue();
        }
    }

    /// <summary>
    /// Requests a checkpoint if the interval has passed and the last one does not hold everything. Also called while no batches arrive.
    /// </summary>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public void AskIfDue()
    {
        if (_writing.IsFaulted)
        {
            Finish();
        }

        if (_time.GetElapsedTime(_last) >= _interval && (_isChanged || Failed || !_batcher.IsEmpty))
        {
            _last = _time.GetTimestamp();
            _batcher.RequestCheckpoint();
        }
    }

    /// <summary>Waits for the checkpoint that is being written.</summary>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public void Finish() => _writing.GetAwaiter().GetResult();

    /// <summary>Abandons the checkpoint that is being written, and waits until nothing reads from the trainer.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        _writing
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
            .Wait(CancellationToken.None);
        _ended.Dispose();
    }

    private void Begin(Batch batch, IngestSnapshot ingest, Trainer trainer)
    {
        // The last batch leaves the batcher empty for good, so its checkpoint must wait its turn. An empty batcher in mid-stream
        // means that there is time to wait.
        if (!_writing.IsCompleted && !_batcher.IsEmpty)
        {
            PipelineLog.CheckpointSkipped(_logger);
            ingest.Dispose();
            return;
        }

        Finish();
        _last = _time.GetTimestamp();
        StreamPosition[] positions = [.. batch.Positions];
        TrainerSnapshot state = trainer.BeginSnapshot();
        _isChanged = false;
        double pause = _time.GetElapsedTime(_last).TotalMilliseconds;
        _writing = WriteAsync(_store.WriteAsync(state, ingest, positions, _ended.Token), positions, pause);
    }

    private async Task WriteAsync(Task<CheckpointWritten> write, StreamPosition[] positions, double pause)
    {
        try
        {
            CheckpointWritten result = await write.ConfigureAwait(false);
            Volatile.Write(ref _failed, false);
            _metrics.RecordCheckpoint(result.Duration, succeeded: true);
            PipelineLog.CheckpointWritten(_logger, result.FolderPath, (long)result.Duration.TotalMilliseconds, result.Bytes, pause);
            _written(positions);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Volatile.Write(ref _failed, true);
            _metrics.RecordCheckpoint(TimeSpan.Zero, succeeded: false);
            PipelineLog.CheckpointFailed(_logger, exception.Message);
        }
    }
}
