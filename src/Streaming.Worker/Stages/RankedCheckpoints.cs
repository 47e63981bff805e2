using System.Text;
using Microsoft.Extensions.Logging;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>
/// Checkpoints of N ranks, in two phases. A rank that has handed over the batch with its ingestion snapshot hands over no other until
/// all have done so; then the trainers of all ranks, which are equal, are as of exactly these snapshots. Each rank writes its part in the
/// background while training continues, and when all have, rank 0 commits by one rename.
/// </summary>
/// <remarks>The training thread.</remarks>
internal sealed class RankedCheckpoints : IDisposable
{
    private const int LongestName = 256;
    private readonly Collective _ranks;
    private readonly CheckpointStore? _store;
    private readonly TimeSpan _interval;
    private readonly Batcher _batcher;
    private readonly Func<IngestSnapshot> _last;
    private readonly Action<IReadOnlyList<StreamPosition>> _written;
    private readonly WorkerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private IngestSnapshot? _held;
    private StreamPosition[] _positions = [];
    private StreamPosition[] _heldPositions = [];
    private string _name = string.Empty;
    private double _pause;
    private Task<long>? _writing;
    private Task<CheckpointWritten>? _committing;
    private long _lastTime;
    private long _begun;
    private bool _isChanged;
    private bool _isEnded;
    private bool _isOff;
    private bool _failed;

    /// <summary>Creates the checkpoints; the first interval begins now.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="store">Where they go, in a folder that all ranks share; null: none are kept.</param>
    /// <param name="interval">Time between two.</param>
    /// <param name="batcher">Provides snapshots.</param>
    /// <param name="last">Takes another snapshot after the batcher's last batch.</param>
    /// <param name="written">Receives this rank's positions of each checkpoint that holds.</param>
    /// <param name="metrics">Counters.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public RankedCheckpoints(
        Collective ranks,
        CheckpointStore? store,
        TimeSpan interval,
        Batcher batcher,
        Func<IngestSnapshot> last,
        Action<IReadOnlyList<StreamPosition>> written,
        WorkerMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        _ranks = ranks;
        _store = store;
        _interval = interval;
        _batcher = batcher;
        _last = last;
        _written = written;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _lastTime = time.GetTimestamp();
    }

    /// <summary>Gets a value indicating whether this rank must not hand over batches: the trainer is as of its snapshot.</summary>
    public bool HoldsSnapshot => _held is not null;

    /// <summary>Gets whether the last attempt failed. Any thread.</summary>
    public bool Failed => Volatile.Read(ref _failed);

    /// <summary>What this rank tells the others of checkpoints.</summary>
    /// <param name="isAtEnd">Whether it has handed over all that it will.</param>
    /// <param name="isCutShort">Whether its last records were dropped: ingestion has counted them, so no snapshot may be taken.</param>
    public RankSignals Flags(bool isAtEnd, bool isCutShort)
    {
        if (_store is null)
        {
            return RankSignals.None;
        }

        _isEnded |= isAtEnd;
        RankSignals flags = _held is null ? RankSignals.None : RankSignals.HoldsSnapshot;
        flags |= isCutShort ? RankSignals.CannotHold : RankSignals.None;
        flags |= _name.Length > 0 ? RankSignals.IsWriting : RankSignals.None;
        flags |= _writing is { IsCompleted: true } ? RankSignals.HasWritten : RankSignals.None;
        flags |=
            _committing is null or { IsCompleted: false } ? RankSignals.None
            : _committing.IsCompletedSuccessfully ? RankSignals.HasCommitted
            : RankSignals.HasGivenUp;
        return IsDue() ? flags | RankSignals.WantsCheckpoint : flags;
    }

    /// <summary>Keeps the snapshot of a batch that was merged.</summary>
    /// <param name="own">This rank's batch; null: it had none.</param>
    /// <param name="merged">The merged batch.</param>
    public void HandedOver(Batch? own, Batch merged)
    {
        _isChanged = true;
        if (own is not null)
        {
            _positions = [.. own.Positions.Where(position => position.Partition % _ranks.Size == _ranks.Rank)];
        }

        if (merged.Snapshot is { } snapshot)
        {
            merged.Snapshot = null;
            Hold(snapshot);
            if (_store is null)
            {
                Release();
            }
        }
    }

    /// <summary>Does what all ranks have decided.</summary>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public void Follow(in Pace pace, Trainer trainer)
    {
        if (_store is null)
        {
            return;
        }

        if (pace.Releases)
        {
            TurnOff();
        }

        if (pace.AsksCheckpoint)
        {
            Ask();
        }

        if (pace.TakesCheckpoint)
        {
            Begin(trainer);
        }

        if (pace.Commits && _ranks.Rank == 0 && _committing is null)
        {
            _committing = _store.CommitAsync(_name, _ranks.Size, _ended.Token);
        }

        if (pace.IsCommitted || pace.IsGivenUp)
        {
            End(pace.IsCommitted);
        }
    }

    /// <summary>Abandons what is being written, and waits until nothing reads from the trainer.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        foreach (Task task in (IEnumerable<Task>)[.. new Task?[] { _writing, _committing }.OfType<Task>()])
        {
            task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
                .Wait(CancellationToken.None);
        }

        Release();
        _ended.Dispose();
    }

    // Rank 0 decides for all: the others' clocks differ.
    private bool IsDue() =>
        _ranks.Rank == 0
        && _name.Length == 0
        && _time.GetElapsedTime(_lastTime) >= _interval
        && (_isChanged || Failed || !_batcher.IsEmpty);

    private void Ask()
    {
        _lastTime = _time.GetTimestamp();
        if (_held is not null)
        {
            return;
        }

        // After its last batch the batcher has no other, and what it would be a snapshot of has not changed since.
        if (_isEnded)
        {
            Hold(_last());
        }
        else
        {
            _batcher.RequestCheckpoint();
        }
    }

    private void Hold(IngestSnapshot snapshot) => (_held, _heldPositions) = (snapshot, _positions);

    private void Release()
    {
        _held?.Dispose();
        _held = null;
    }

    // What follows the last checkpoint is read again.
    private void TurnOff()
    {
        Release();
        if (!_isOff)
        {
            _isOff = true;
            PipelineLog.NoLastCheckpoint(_logger);
        }
    }

    private void Begin(Trainer trainer)
    {
        _begun = _lastTime = _time.GetTimestamp();
        string problem = string.Empty;
        _name = BroadcastName(_ranks.Rank == 0 ? BeginShared(out problem) : string.Empty);
        if (_name.Length == 0)
        {
            Release();
            Fail(_ranks.Rank == 0 ? problem : "rank 0 could not create it; its log says why");
            return;
        }

        TrainerSnapshot state = trainer.BeginSnapshot();
        (IngestSnapshot ingest, _held) = (_held!, null);
        _isChanged = false;
        _pause = _time.GetElapsedTime(_begun).TotalMilliseconds;
        _writing = _store!.WriteShareAsync(_name, _ranks.Rank, _ranks.Size, state, ingest, _heldPositions, _ended.Token);
    }

    /// <returns>The checkpoint's name; empty: it cannot be created now.</returns>
    private string BeginShared(out string problem)
    {
        try
        {
            problem = string.Empty;
            return _store!.BeginShared();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = exception.Message;
            return string.Empty;
        }
    }

    private void Fail(string reason)
    {
        Volatile.Write(ref _failed, true);
        _metrics.RecordCheckpoint(TimeSpan.Zero, succeeded: false);
        PipelineLog.CheckpointFailed(_logger, reason);
    }

    private string BroadcastName(string name)
    {
        Span<byte> bytes = stackalloc byte[LongestName];
        bytes.Clear();
        Encoding.UTF8.GetBytes(name, bytes);
        _ranks.Broadcast(bytes, root: 0);
        return Encoding.UTF8.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }

    private void End(bool isCommitted)
    {
        (Task<long> writing, Task<CheckpointWritten>? committing, string name) = (_writing!, _committing, _name);
        (_writing, _committing, _name) = (null, null, string.Empty);
        Exception? problem = (writing.Exception ?? committing?.Exception)?.InnerException;
        if (problem is not null and not IOException and not UnauthorizedAccessException)
        {
            throw problem;
        }

        if (isCommitted)
        {
            Volatile.Write(ref _failed, false);
            TimeSpan duration = committing?.Result.Duration ?? _time.GetElapsedTime(_begun);
            _metrics.RecordCheckpoint(duration, succeeded: true);
            if (committing?.Result is { } whole)
            {
                PipelineLog.CheckpointWritten(_logger, whole.FolderPath, (long)duration.TotalMilliseconds, whole.Bytes, _pause);
            }

            _written(_heldPositions);
            return;
        }

        if (_ranks.Rank == 0)
        {
            _store!.Abandon(name);
        }

        Fail(problem?.Message ?? "another rank could not write its part; its log says why");
    }
}
