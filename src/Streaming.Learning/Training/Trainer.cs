using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Kernels.Simd;
using Streaming.Learning.Bank;
using Streaming.Learning.Counts;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>
/// Trains on a stream of batches: applies catalogue changes, scores events before training, updates frequencies, replays, runs the
/// engine's step and the bank's policy, and selects the embeddings to publish.
/// </summary>
/// <remarks>
/// One thread calls a trainer at a time; any thread may read <see cref="Metrics"/>. The same batches give bitwise identical state
/// (if the engine does), whether the trainer was restored in between or not.
/// <para>With an engine of N ranks, each rank has a trainer and gives it the same batches (<c>BatchMerger</c>). All of a
/// trainer's own state is then equal to the bit on every rank: items, frequencies, counts, replay and metrics are computed N times, and
/// the engine's steps and the ranking of the catalogue once. <see cref="Train"/>, <see cref="Observe"/>, <see cref="BeginSnapshot"/> and
/// <see cref="Restore"/> are collective. Only refreshes differ: each rank posts the items that it stores.</para>
/// </remarks>
public sealed partial class Trainer : IDisposable
{
    /// <summary>What counts from before a drift weigh after it.</summary>
    private const double FadeOfCounts = 0.1;

    private readonly TrainingEngine _engine;
    private readonly TrainerOptions _options;
    private readonly ItemTable _items;
    private readonly FrequencyEstimator _frequency;
    private readonly BankPolicy _bank;
    private readonly ReplayReservoir _replay;
    private readonly StepNegatives _negatives;
    private readonly StepBuffers _buffers;
    private readonly StepShare _share;
    private readonly int _earlierPredictions;
    private readonly RefreshCollector _refreshes;
    private readonly ItemCounts _counts;
    private readonly TrainerEvaluation _evaluation;
    private readonly TrainReport _report;
    private readonly TimeProvider _time;
    private readonly TensorSet _stateCopy = new();
    private TrainerCounters _counters;
    private long _sequence = -1;
    private int _nonFiniteInARow;
    private StepResult _lastStep;
    private float _lastLearningRate;
    private bool _hasSnapshot;
    private long _observed;

    /// <summary>Creates an untrained trainer.</summary>
    /// <param name="engine">The engine, untrained; the trainer does not dispose it.</param>
    /// <param name="options">Settings.</param>
    /// <param name="scoringTime">Measures <see cref="EvaluationTime"/> and what share of the trainer's time it is; null: the system's
    /// clock.</param>
    /// <exception cref="ArgumentException">Settings are invalid; names each.</exception>
    public Trainer(TrainingEngine engine, TrainerOptions options, TimeProvider? scoringTime = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        ModelOptions model = engine.Model;
        options.Validate(model);
        _engine = engine;
        _options = options;
        _items = new ItemTable(engine, options.Items);
        _frequency = new FrequencyEstimator(options.Frequency, options.Frequency.SlotsFor(model.ItemCapacity), model.Seed);
        _bank = new BankPolicy(engine, _items, options.Bank, options.LearningRate.WarmupSteps);
        _replay = new ReplayReservoir(options.Replay, model.HistoryLength, model.Seed);
        _negatives = new StepNegatives(_items, model.Loss, options.UniformNegatives, model.Seed);
        _buffers = new StepBuffers(model.HistoryLength);
        _share = new StepShare(engine.Ranks);
        _earlierPredictions = model.Tower == TowerKind.Mind ? 0 : options.Replay.EarlierPredictions;
        _counts = new ItemCounts(_items, options.Counts);
        _refreshes = new RefreshCollector(
            engine,
            _items,
            options.Refresh,
            _counts.IsOn && options.Counts.Published > 0 ? new RelatedLists(_counts, _items, options.Counts.Published) : null
        );
        _time = scoringTime ?? TimeProvider.System;
        _evaluation = new TrainerEvaluation(engine, _items, _counts, options, _time);
        _report = new TrainReport(model.Widths.Count);
        Shape = TrainerShape.Of(model, options);

        // Allocates and touches the memory of snapshots now: the first one would otherwise pause training several times longer.
        Save(_stateCopy);
        _stateCopy.Clear();
    }

    /// <summary>Gets the settings that must match those of a checkpoint, by name.</summary>
    public IReadOnlyDictionary<string, string> Shape { get; }

    /// <summary>Gets the engine.</summary>
    internal TrainingEngine Engine => _engine;

    /// <summary>Gets the counts.</summary>
    internal ItemCounts Counts => _counts;

    /// <summary>Gets the outcome of the newest step. A batch without events has none.</summary>
    internal StepResult LastStep => _lastStep;

    /// <summary>Gets the learning rate of that step.</summary>
    internal float LastLearningRate => _lastLearningRate;

    /// <summary>Gets the model's shape and hyper-parameters.</summary>
    public ModelOptions Model => _engine.Model;

    /// <summary>Gets the model's metrics at full width over the last examples. Read on the trainer's thread.</summary>
    public SegmentRecall RecentRecall => SegmentRecall.Of(Evaluator, _engine.Model.Widths.Count - 1);

    /// <summary>Gets the counters.</summary>
    public TrainerCounters Counters => _counters;

    /// <summary>Gets the number of the last batch trained on; −1 before the first.</summary>
    public long Sequence => _sequence;

    /// <summary>Gets the items.</summary>
    public ItemTable Items => _items;

    /// <summary>Gets the frequency estimates.</summary>
    public FrequencyEstimator Frequency => _frequency;

    /// <summary>Gets the model's prequential evaluation. Read on the trainer's thread.</summary>
    public PrequentialEvaluator Evaluator => _evaluation.Model;

    /// <summary>Gets that of the recent-popularity baseline; its only "width" is 0.</summary>
    public PrequentialEvaluator Baseline => _evaluation.Baseline;

    /// <summary>Gets that of counting methods, alone and with the model: its "widths" are the indices of <see cref="SourceNames"/>.
    /// Null when counting is off.</summary>
    public PrequentialEvaluator? Sources => _evaluation.Sources?.Evaluator;

    /// <summary>Gets what <see cref="Sources"/> measures: simple methods, "counts" (their lists fused), and "fused W" (those
    /// with the model's at width W). Empty when counting is off.</summary>
    public IReadOnlyList<string> SourceNames => _evaluation.Sources?.Names ?? [];

    /// <summary>Gets the time spent scoring events, as part of <see cref="Train"/>.</summary>
    public TimeSpan EvaluationTime => _evaluation.Elapsed;

    /// <summary>Gets the time spent in the engine's steps, as part of <see cref="Train"/>.</summary>
    public TimeSpan StepTime { get; private set; }

    /// <summary>Gets the share of the events that is scored, averaged over the last batches, 0 … 1.</summary>
    public double EvaluatedShare => _evaluation.Share;

    /// <summary>Gets how often recall dropped so far that the stream counts as having drifted, since its beginning.</summary>
    public long RecallDrops => _evaluation.RecallDrops;

    /// <summary>Gets the size of the counts in bytes.</summary>
    public long CountBytes => _counts.IsOn ? _counts.Bytes : 0;

    /// <summary>Gets the share of the counted weight that the bounded lists lost, 0 … 1.</summary>
    public double CountsLost => _counts.LostShare;

    /// <summary>Gets or sets a value indicating whether the current events come after an artificial drift.</summary>
    public bool IsAfterDrift
    {
        get => _evaluation.IsAfterDrift;
        set => _evaluation.IsAfterDrift = value;
    }

    /// <summary>Gets the figures for dashboards. Any thread.</summary>
    public TrainerMetrics Metrics { get; } = new();

    /// <summary>Scores a batch, then trains on it.</summary>
    /// <returns>The outcome; valid until the next call.</returns>
    /// <exception cref="NonFiniteLossException">Too many consecutive steps were not finite.</exception>
    public TrainReport Train(Batch batch)
    {
        long begun = _time.GetTimestamp();
        Take(batch);
        if (batch.Count > 0)
        {
            Adapt();
            Assemble(batch);
            Step(batch);
            _evaluation.End(_time.GetElapsedTime(begun));
        }

        _sequence = batch.Sequence;
        _counters.Batches++;
        Metrics.Update(this);
        CheckFinite();
        return _report;
    }

    /// <summary>
    /// Scores a batch as <see cref="Train"/> does and takes in its items, without a step: evaluates a model whose engine is trained
    /// elsewhere. New items get untrained rows; frequencies and counts include the events.
    /// </summary>
    /// <returns>The outcome; valid until the next call.</returns>
    public TrainReport Observe(Batch batch)
    {
        Take(batch);
        _observed += batch.Count > 0 ? 1 : 0;
        return _report;
    }

    /// <summary>Copies the current dense parameters; allowed while a snapshot is active. On the trainer's thread.</summary>
    public TensorSource CopyParameters() => _engine.CopyParameters();

    /// <summary>Begins a snapshot of the whole current state. Training may continue at once.</summary>
    /// <exception cref="InvalidOperationException">The previous snapshot has not been disposed.</exception>
    public TrainerSnapshot BeginSnapshot()
    {
        if (Volatile.Read(ref _hasSnapshot))
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the next begins.");
        }

        _stateCopy.Clear();
        Save(_stateCopy);
        TensorSnapshot engine = _engine.BeginSnapshot();
        Volatile.Write(ref _hasSnapshot, true);
        return new TrainerSnapshot(engine, _stateCopy, Model, Shape, _counters, _sequence, () => Volatile.Write(ref _hasSnapshot, false));
    }

    /// <summary>Replaces the whole state by a stored one and marks every item for publication.</summary>
    /// <param name="engine">The engine's tensors.</param>
    /// <param name="trainer">The tensors outside the engine.</param>
    /// <exception cref="StateMismatchException">The state does not match the settings. The trainer is then unusable.</exception>
    /// <exception cref="InvalidOperationException">A snapshot has not been disposed.</exception>
    public void Restore(TensorSource engine, TensorSource trainer)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(trainer);
        if (Volatile.Read(ref _hasSnapshot))
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the state is replaced.");
        }

        Load(new TensorReader(trainer));
        _engine.Restore(engine);
        _nonFiniteInARow = 0;
        RefreshAll();
        Metrics.Update(this);
    }

    /// <summary>The current figures for dashboards. On the trainer's thread.</summary>
    public TrainerStatus Status() => TrainerStatus.Of(this, _report, _bank, _replay.Count, _refreshes.Waiting);

    /// <inheritdoc/>
    public void Dispose()
    {
        _evaluation.Dispose();
        _stateCopy.Dispose();
    }

    private void Take(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _report.Begin(batch.Sequence);
        ApplyItemChanges(batch);
        if (batch.Count > 0)
        {
            _evaluation.Begin(batch, _counters.Steps + _observed, _report);
            TouchItems(batch);
        }
    }

    private void ApplyItemChanges(Batch batch)
    {
        foreach (ItemChange change in batch.ItemChanges)
        {
            int row = _items.Apply(change, out string? error);
            if (error is not null)
            {
                _report.Reject(error);
            }

            ForgetReassignedRows();
            if (row >= 0)
            {
                _refreshes.MarkUrgent(row, producedTime: 0); // Freshness is of events: a compacted record may be years old.
            }
        }
    }

    /// <summary>Counts the batch's new events one by one: frequencies, admission, popularity, co-occurrence. Each is scored just
    /// before.</summary>
    private void TouchItems(Batch batch)
    {
        _items.EvictIdle(1 + (_items.Capacity / 1024));
        _frequency.BeginBatch(batch.Count);
        for (int i = 0; i < batch.Count; i++)
        {
            _evaluation.Score(batch, i, _report);
            Expect(batch, i + 1);
            int row = _items.Touch(
                batch.ItemKeys[i],
                batch.ItemIdBytes.AsSpan(batch.ItemIdOffsets[i]..batch.ItemIdOffsets[i + 1]),
                batch.EventTimes[i]
            );
            _frequency.Count(batch.ItemKeys[i]);
            ForgetReassignedRows();
            if (row >= 0)
            {
                _evaluation.Learn(row, batch.EventTimes[i]);
            }

            _refreshes.MarkCounted(_counts.Learn(batch.History(i), batch.ItemKeys[i]));
        }

        // A row may have been reassigned within the batch, so its item is known only now.
        for (int i = 0; i < batch.Count; i++)
        {
            int row = _items.Find(batch.ItemKeys[i]);
            if (row >= 0)
            {
                _refreshes.MarkUrgent(row, batch.ProducedTimes[i]);
            }
            else
            {
                _counters.EventsOnFallback++;
            }
        }
    }

    private void Expect(Batch batch, int example)
    {
        if (example < batch.Count)
        {
            _counts.Expect(batch.History(example), batch.ItemKeys[example]);
        }
    }

    private void ForgetReassignedRows()
    {
        foreach (int row in _items.ReassignedRows)
        {
            _refreshes.Reset(row);
            _evaluation.Forget(row);
            _counts.Forget(row);
        }

        _items.ReassignedRows.Clear();
    }

    /// <summary>After a drift, older examples are wrong: repeating them would keep alive what they taught.</summary>
    private void Adapt()
    {
        if (_report.RecallDrop is not null)
        {
            _replay.Clear();
            _counts.Fade(FadeOfCounts);
        }
    }

    /// <summary>Assembles new and replayed examples. Replayed ones are drawn before the new ones are offered.</summary>
    private void Assemble(Batch batch)
    {
        int replayed = _replay.Due(batch.Count);
        int most = Math.Max(replayed, (int)Math.Ceiling(batch.Capacity * _options.Replay.Ratio));
        _buffers.Begin(batch.Capacity + most, batch.Capacity + (most * (1 + _earlierPredictions)));
        for (int i = 0; i < batch.Count; i++)
        {
            ulong item = batch.ItemKeys[i];
            _buffers.Add(_items, _frequency, item, batch.Weights[i], History(batch, i));
        }

        int next = replayed > 0 ? _replay.Draw() : 0;
        for (int i = 0; i < replayed; i++)
        {
            int slot = next;
            next = i + 1 < replayed ? _replay.Draw() : 0;
            Prefetch.Read(_replay.History(next));
            ulong item = _replay.Item(slot);
            ulong random = KeyMix.Mix(_engine.Model.Seed ^ 0xEA41, (ulong)(_counters.EventsReplayed + i));
            _buffers.Add(_items, _frequency, item, _replay.Weight(slot), _replay.History(slot), _earlierPredictions, random);
        }

        for (int i = 0; i < batch.Count; i++)
        {
            _replay.Offer(batch.ItemKeys[i], batch.Weights[i], History(batch, i));
        }

        _report.Examples = batch.Count;
        _report.Replayed = replayed;
    }

    private void Step(Batch batch)
    {
        _negatives.Choose(_counters.Steps, _frequency, _buffers.Positives);
        _bank.Start(_counters.Steps);
        TrainingBatch step = _buffers.ToBatch();
        step.Negatives = _negatives.Rows;
        step.NegativeLogQ = _negatives.LogQ;
        step.DrawnFrom = _negatives.DrawnFrom;
        step.BankEntries = _bank.Entries;
        step.EnqueuePositives = _bank.HasBank;
        step.LearningRate = _options.LearningRate.At(_counters.Steps, batch.Count, batch.FullSize);
        step.Step = _counters.Steps;
        _report.BankEntries = step.BankEntries;
        _report.LearningRate = step.LearningRate;
        long begun = _time.GetTimestamp();
        _report.Step = _engine.Step(_share.Of(step));
        StepTime += _time.GetElapsedTime(begun);
        _lastStep = _report.Step;
        _lastLearningRate = _report.LearningRate;

        _counters.Steps++;
        _counters.EventsTrained += batch.Count;
        _counters.EventsReplayed += _report.Replayed;
        _counters.NonFiniteSteps += _report.Step.IsApplied ? 0 : 1;
        _nonFiniteInARow = _report.Step.FailedInARow(_nonFiniteInARow);
        _refreshes.MarkTouched(_buffers.Rows);
        _refreshes.MarkTouched(_buffers.Positives);
        _bank.AfterStep(_counters.Steps);
    }

    private void CheckFinite()
    {
        if (_nonFiniteInARow >= _options.MaxNonFiniteSteps)
        {
            throw new NonFiniteLossException(_nonFiniteInARow, _counters.Steps - 1, _report.Step.Loss);
        }
    }

    /// <summary>The part of the history that the model reads: the newest items.</summary>
    private ReadOnlySpan<ulong> History(Batch batch, int example)
    {
        int end = batch.HistoryOffsets[example + 1];
        return batch.HistoryItems.AsSpan(Math.Max(batch.HistoryOffsets[example], end - Model.HistoryLength)..end);
    }

    private void Save(TensorSet tensors)
    {
        tensors.Add<long>(
            "trainer.counters",
            [
                _counters.Steps,
                _counters.Batches,
                _counters.EventsTrained,
                _counters.EventsReplayed,
                _counters.EventsOnFallback,
                _counters.NonFiniteSteps,
                _counters.Refreshes,
                _sequence,
            ]
        );
        _items.Save(tensors);
        _frequency.Save(tensors);
        _bank.Save(tensors);
        _replay.Save(tensors);
        _counts.Save(tensors);
        _evaluation.Save(tensors);
    }

    private void Load(TensorReader tensors)
    {
        long[] counters = new long[8];
        tensors.Read<long>("trainer.counters", counters);
        _counters = new TrainerCounters
        {
            Steps = counters[0],
            Batches = counters[1],
            EventsTrained = counters[2],
            EventsReplayed = counters[3],
            EventsOnFallback = counters[4],
            NonFiniteSteps = counters[5],
            Refreshes = counters[6],
        };
        _sequence = counters[7];
        _items.Load(tensors);
        _frequency.Load(tensors);
        _bank.Load(tensors);
        _replay.Load(tensors);
        _counts.Load(tensors);
        _evaluation.Load(tensors);
    }
}
