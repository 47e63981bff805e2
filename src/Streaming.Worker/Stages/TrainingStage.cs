using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Refreshes;
using Streaming.Core.Tracing;
using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>
/// The training thread: takes batches, trains on them, hands what events changed to the publisher at intervals, and lets
/// the checkpoint writer take its snapshot at the batches that carry one, and the upkeep its copies of items.
/// </summary>
/// <remarks>
/// Reading, histories and forming batches, writing to Redis, looking for what moved, and writing checkpoints run on other threads. Scoring,
/// assembly and step of a batch follow each other: scoring needs the parameters as of the step before, and all cores, as the step does;
/// assembly admits and evicts rows that scoring and step read.
/// </remarks>
internal sealed class TrainingStage
{
    private readonly Trainer _trainer;
    private readonly ChannelReader<Batch> _input;
    private readonly BatchPool _pool;
    private readonly RefreshOutbox _outbox;
    private readonly CatalogueUpkeep _upkeep;
    private readonly CheckpointSchedule? _checkpoints;
    private readonly RankedLoop? _ranks;
    private readonly GenerationStage? _generation;
    private readonly TracedItems _traces;
    private readonly PublishPace _pace;
    private readonly WorkerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TrainerClock _clock;
    private readonly FreshnessClock _freshness;
    private readonly Lock _gate = new();
    private EventCounts _counts;
    private Task<bool>? _pending;
    private int _refreshAll;
    private long _batches;

    /// <summary>Creates the stage.</summary>
    /// <remarks>One of many ranks has <c>ranks</c> and no <c>checkpoints</c>; <c>generation</c> is that of rank 0 alone.</remarks>
    public TrainingStage(
        Trainer trainer,
        ChannelReader<Batch> input,
        BatchPool pool,
        RefreshOutbox outbox,
        CatalogueUpkeep upkeep,
        CheckpointSchedule? checkpoints,
        RankedLoop? ranks,
        GenerationStage? generation,
        TracedItems traces,
        PipelineOptions options,
        WorkerMetrics metrics,
        TimeProvider time,
        ILogger logger
    )
    {
        _trainer = trainer;
        _input = input;
        _pool = pool;
        _outbox = outbox;
        _upkeep = upkeep;
        _checkpoints = checkpoints;
        _ranks = ranks;
        _generation = generation;
        _traces = traces;
        _pace = new PublishPace(options.PublishInterval, time);
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _clock = new TrainerClock(metrics, time);
        _freshness = new FreshnessClock(metrics, time);
    }

    /// <summary>Gets the outcomes of all records whose batches have been trained on, since the stream's beginning.</summary>
    public EventCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _counts;
            }
        }
    }

    /// <summary>Gets the outcomes of the newest events. Any thread.</summary>
    public EventMix Mix { get; } = new();

    /// <summary>Gets how many batches were finished. Any thread.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>Gets a value indicating whether a batch waits. Any thread.</summary>
    public bool HasWaiting => _input.TryPeek(out _);

    /// <summary>Sets the counts of a restored checkpoint.</summary>
    public void RestoreCounts(in EventCounts counts)
    {
        lock (_gate)
        {
            _counts = counts;
        }
    }

    /// <summary>Requests that every item is published again, by every rank. Any thread.</summary>
    public void RefreshAll()
    {
        if (_ranks is null)
        {
            RefreshOwn();
        }
        else
        {
            _ranks.Republish();
        }
    }

    /// <summary>Trains until the input ends; then posts the last embeddings and completes the outbox.</summary>
    public Task RunAsync(CancellationToken abort) =>
        Task.Factory.StartNew(() => Run(abort), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken abort)
    {
        _pace.Restart();
        _clock.Start(_trainer);
        if (_ranks is null)
        {
            RunAlone(abort);
        }
        else
        {
            _ranks.Run(_trainer, Train, PublishAndServe, RefreshOwn, _clock, _freshness, abort);
        }

        Publish();
        _upkeep.Finish(abort);
        _generation?.Offer(_trainer, last: true);
        _checkpoints?.Finish();
        _outbox.Complete();
    }

    private void RefreshOwn() => Volatile.Write(ref _refreshAll, 1);

    private void RunAlone(CancellationToken abort)
    {
        while (WaitForBatch(abort))
        {
            _clock.Spent(TrainerPart.Waiting);
            while (_input.TryRead(out Batch? batch))
            {
                abort.ThrowIfCancellationRequested();
                _freshness.Taken(batch);
                Train(batch, batch.Counts);
                _checkpoints?.After(batch, _trainer);
                _clock.Spent(TrainerPart.Checkpoint);
                _pool.Return(batch);
                PublishAndServe();
            }

            _checkpoints?.AskIfDue();
            PublishAndServe();
        }
    }

    /// <summary>Waits for a batch, and publishes when due meanwhile.</summary>
    /// <returns>False when the input has ended.</returns>
    private bool WaitForBatch(CancellationToken abort)
    {
        // One waiting task at a time: a new one each interval would pile up in the channel.
        _pending ??= _input.WaitToReadAsync(abort).AsTask();
        if (!_pending.IsCompleted)
        {
            Task.WaitAny([_pending, _upkeep.Asked], (int)Math.Ceiling(_pace.Wait(_trainer.HasChanges).TotalMilliseconds), abort);
            if (!_pending.IsCompleted)
            {
                return true;
            }
        }

        bool more = _pending.GetAwaiter().GetResult();
        _pending = null;
        return more;
    }

    /// <param name="batch">The batch.</param>
    /// <param name="counts">The outcomes of the records that this process read for it.</param>
    private void Train(Batch batch, EventCounts counts)
    {
        Activity? trace = StreamTracing.StartBatch(batch.Traces);
        TrainReport report = _trainer.Train(batch);
        TimeSpan spent = _clock.SpentTraining(_trainer);
        EndTraces(batch, trace, report);
        if (report.Examples > 0)
        {
            _freshness.Trained();
            _metrics.RecordStep(spent, report.Examples, report.Replayed);
            if (!report.Step.IsApplied)
            {
                _metrics.RecordStepNotFinite();
                PipelineLog.StepNotApplied(_logger, _trainer.Counters.Steps, report.Step.Loss);
            }
        }

        if (report.RecallDrop is { } drop)
        {
            PipelineLog.Drifted(_logger, drop.Recall, drop.Before);
        }

        foreach (string rejection in report.Rejections)
        {
            PipelineLog.RecordRejected(_logger, rejection);
        }

        lock (_gate)
        {
            _counts.Add(counts);
        }

        Mix.Add(counts);
        _metrics.RecordEvents(counts);
        Volatile.Write(ref _batches, _batches + 1);
    }

    /// <summary>Ends the spans of a batch's records; the trace goes on with the next write of each one's item.</summary>
    private void EndTraces(Batch batch, Activity? trace, TrainReport report)
    {
        if (batch.Traces.Count == 0)
        {
            return;
        }

        long step = _trainer.Counters.Steps;
        trace
            ?.SetTag("streaming.step", step)
            .SetTag("streaming.examples", report.Examples)
            .SetTag("streaming.replayed", report.Replayed)
            .Stop();
        foreach (TracedRecord record in batch.Traces)
        {
            if (trace is not null)
            {
                _traces.Add(batch.ItemKeys[record.Example], trace.Context, step);
            }

            StreamTracing.EndRecord(record.Span, "trained");
        }
    }

    private void PublishAndServe()
    {
        PublishIfDue();
        _clock.Spent(TrainerPart.Publishing);
        _upkeep.Serve();
        _clock.Spent(TrainerPart.Upkeep);
    }

    private void PublishIfDue()
    {
        if (_pace.IsDue(_trainer.HasChanges, _outbox.Changes > 0))
        {
            Publish();
        }
    }

    private void Publish()
    {
        if (Interlocked.Exchange(ref _refreshAll, 0) == 1)
        {
            _trainer.RefreshAll();
        }

        _pace.Restart();
        _trainer.CollectChanges(_outbox);
        _pace.HandedOver();
        _freshness.HandedOver();
        _generation?.Offer(_trainer);
    }
}
