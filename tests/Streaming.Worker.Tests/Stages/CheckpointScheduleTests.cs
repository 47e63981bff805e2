using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Metrics;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class CheckpointScheduleTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streaming-schedule-" + Path.GetRandomFileName());
    private readonly ManualTime _time = new();
    private readonly RecordingLoggers _log = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly CpuEngine _engine = new(
        new ModelOptions
        {
            Widths = [4],
            Layers = 1,
            ItemCapacity = 16,
            HistoryLength = 4,
            BankCapacity = 8,
        },
        threads: 1
    );
    private readonly Trainer _trainer;
    private readonly Batcher _batcher;
    private readonly List<StreamPosition[]> _written = [];
    private bool _mayWrite = true;
    private long _offset;

    public CheckpointScheduleTests()
    {
        _trainer = new Trainer(_engine, new TrainerOptions { EvaluateEvery = -1 });
        _batcher = new Batcher(
            new BatcherOptions { BatchSize = 4 },
            new EventRules(new EventTypes(new Dictionary<string, float>()), TimeSpan.FromHours(1), _time),
            new IngestState(new HistoryOptions { Length = 4, MaxUsers = 10 }, new DedupOptions { Capacity = 10 }),
            new StreamPositions(["interactions"], []),
            new BatchPool(4, 4),
            _time
        );
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
        _metrics.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
        else
        {
            File.Delete(_folder);
        }
    }

    [Fact]
    public void AskIfDue_IntervalOver_AsksForABatchWithSnapshot()
    {
        using CheckpointSchedule schedule = Create();
        schedule.After(Seal(), _trainer);
        _time.Advance(Interval - TimeSpan.FromMilliseconds(1));
        schedule.AskIfDue();
        Assert.False(_batcher.IsCheckpointRequested);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        schedule.AskIfDue();

        Assert.True(_batcher.IsCheckpointRequested);
    }

    [Fact]
    public void AskIfDue_NothingChangedSinceTheLast_DoesNotAsk()
    {
        using CheckpointSchedule schedule = Create();
        _time.Advance(Interval);
        schedule.AskIfDue();
        Assert.False(_batcher.IsCheckpointRequested);
        schedule.After(Seal(checkpoint: true), _trainer);
        schedule.Finish();

        _time.Advance(10 * Interval);
        schedule.AskIfDue();

        Assert.False(_batcher.IsCheckpointRequested);
    }

    /// <summary>Records without an example, as duplicates are, move positions that the last checkpoint does not hold.</summary>
    [Fact]
    public void AskIfDue_RecordsNotInABatchYet_Asks()
    {
        using CheckpointSchedule schedule = Create();
        Read();
        _time.Advance(Interval);

        schedule.AskIfDue();

        Assert.True(_batcher.IsCheckpointRequested);
    }

    /// <summary>Reading goes on while a batch is trained: what was read since has had no effect on the model.</summary>
    [Fact]
    public void After_BatchWithSnapshot_WritesThePositionsOfTheBatch()
    {
        using CheckpointSchedule schedule = Create();
        Batch batch = Seal(checkpoint: true);
        StreamPosition[] positions = [.. batch.Positions];
        Read();
        Read();

        schedule.After(batch, _trainer);
        schedule.Finish();

        Assert.Equal(new StreamPosition("interactions", 0, 1), Assert.Single(positions));
        Assert.Equal(positions, Assert.Single(_written));
        Assert.Equal(positions, Store().FindNewest()!.Manifest.Positions);
        Assert.Null(batch.Snapshot);
    }

    [Fact]
    public void After_LastOneStillBeingWritten_LeavesThisOneOut()
    {
        using CheckpointSchedule schedule = Create();
        using var slow = new SlowSnapshot();
        schedule.After(Seal(slow), _trainer);
        Batch next = Seal(checkpoint: true);
        Read();

        schedule.After(next, _trainer);

        Assert.True(_log.Has("The previous checkpoint is still being written"));
        slow.GoOn();
        schedule.Finish();
        Assert.Equal(1, Assert.Single(Assert.Single(_written)).NextOffset);
    }

    /// <summary>The last batch leaves the batcher empty: its checkpoint must be there in the end, whatever is under way.</summary>
    [Fact]
    public async Task After_LastBatchOfTheStream_WaitsForItsTurn()
    {
        using CheckpointSchedule schedule = Create();
        using var slow = new SlowSnapshot();
        schedule.After(Seal(slow), _trainer);
        Batch last = Seal(checkpoint: true);
        Assert.True(_batcher.IsEmpty);

        var after = Task.Run(() => schedule.After(last, _trainer), TestContext.Current.CancellationToken);
        slow.GoOn();
        await after;
        schedule.Finish();

        Assert.Equal([1L, 2L], _written.Select(positions => positions[0].NextOffset));
    }

    [Fact]
    public void AskIfDue_LastOneCouldNotBeWritten_AsksAgainUntilOneCan()
    {
        File.WriteAllText(_folder, "a file where the folder should be");
        using CheckpointSchedule schedule = Create();
        schedule.After(Seal(checkpoint: true), _trainer);
        schedule.Finish();
        Assert.True(schedule.Failed);
        Assert.Empty(_written);
        Assert.True(_log.Has("Failed to write the checkpoint"));

        File.Delete(_folder);
        _time.Advance(Interval);
        schedule.AskIfDue();
        Assert.True(_batcher.IsCheckpointRequested);
        schedule.After(Seal(), _trainer);
        schedule.Finish();

        Assert.False(schedule.Failed);
        Assert.Single(_written);
    }

    [Fact]
    public async Task AskIfDue_AnotherTrainerHasTakenOver_Throws()
    {
        using CheckpointSchedule schedule = Create();
        _mayWrite = false;
        schedule.After(Seal(checkpoint: true), _trainer);

        SupersededException superseded = Assert.Throws<SupersededException>(schedule.Finish);

        Assert.Contains("Another trainer has taken the lease", superseded.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SupersededException>(() => Task.Run(schedule.AskIfDue, TestContext.Current.CancellationToken));
        Assert.Empty(_written);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Dispose_WhileWriting_GivesItUpAndLeavesNothing()
    {
        CheckpointSchedule schedule = Create();
        using var slow = new SlowSnapshot();
        schedule.After(Seal(slow), _trainer);
        slow.WaitUntilReached();
        using var later = new Timer(_ => slow.GoOn(), null, 50, Timeout.Infinite);

        schedule.Dispose();

        Assert.Empty(_written);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        _trainer.BeginSnapshot().Dispose(); // nothing reads from the trainer any more
    }

    private CheckpointStore Store() =>
        new(_folder, 3, TimeProvider.System, static _ => { }, new CheckpointFence(1, () => Volatile.Read(ref _mayWrite)));

    private CheckpointSchedule Create() =>
        new(Store(), Interval, _batcher, positions => _written.Add([.. positions]), _metrics, _time, _log);

    private void Read()
    {
        _batcher.Reject();
        _batcher.Advance(0, 0, _offset++);
    }

    private Batch Seal()
    {
        Read();
        return _batcher.Seal();
    }

    private Batch Seal(bool checkpoint)
    {
        Read();
        return _batcher.Seal(checkpoint);
    }

    private Batch Seal(IngestSnapshot snapshot)
    {
        Batch batch = Seal();
        batch.Snapshot = snapshot;
        return batch;
    }

    /// <summary>A state whose writing takes until it is told to go on.</summary>
    private sealed class SlowSnapshot : IngestSnapshot
    {
        private readonly ManualResetEventSlim _reached = new();
        private readonly ManualResetEventSlim _goOn = new();

        public void GoOn() => _goOn.Set();

        public void WaitUntilReached() => Assert.True(_reached.Wait(TimeSpan.FromMinutes(1)));

        public override void WriteTo(Stream destination)
        {
            _reached.Set();
            Assert.True(_goOn.Wait(TimeSpan.FromMinutes(1)));
        }

        public override void Dispose() { }
    }
}
