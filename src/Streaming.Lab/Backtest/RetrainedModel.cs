using System.Text;
using Streaming.Core.Hashing;
using Streaming.Kernels.Hashing;
using Streaming.Learning.Engine;
using Streaming.Learning.Training;
using Streaming.Models.State;

namespace Streaming.Lab.Backtest;

/// <summary>
/// A model as a nightly job would make it: trained in full passes over all earlier events, then frozen until the next training.
/// </summary>
/// <remarks>
/// A pass takes the users' sequences in random order, whole sequences per step, and predicts every event once from the user's
/// earlier ones, with ln q from the counts of the training set. Only the parameters are frozen: histories grow with each
/// event, and an item that no training has seen has an untrained row (and what its features give).
/// </remarks>
internal sealed class RetrainedModel : IDisposable
{
    private readonly RetrainOptions _options;
    private readonly OfflineOptions _batching;
    private readonly InteractionLog _log;
    private readonly ItemFeatures _features;
    private readonly Func<TrainingEngine> _create;
    private readonly TrainingEngine _engine;
    private readonly ProcessorTime _processor = new();
    private readonly StepTally _steps;
    private readonly ulong[] _keys;

    /// <summary>Creates an untrained model.</summary>
    /// <param name="settings">How it is trained.</param>
    /// <param name="log">All events, with times.</param>
    /// <param name="features">Features of the items in the log.</param>
    /// <param name="create">Creates an untrained engine.</param>
    /// <param name="scoring">How the stream is scored.</param>
    /// <param name="name">Name for errors.</param>
    public RetrainedModel(
        BacktestOptions settings,
        InteractionLog log,
        ItemFeatures features,
        Func<TrainingEngine> create,
        TrainerOptions scoring,
        string name
    )
    {
        _options = settings.Retrain;
        _batching = new OfflineOptions { UniformNegatives = settings.Training.UniformNegatives };
        _log = log;
        _features = features;
        _create = create;
        _engine = create();
        _steps = new StepTally(name, "STREAMING__Retrain__LearningRate");
        _keys = [.. log.Items.Select(static id => XxHash64.Hash(Encoding.UTF8.GetBytes(id)))];
        Observer = new Trainer(_engine, scoring);
    }

    /// <summary>Gets what scores the stream by the model, without training it.</summary>
    public Trainer Observer { get; }

    /// <summary>Gets the number of trainings.</summary>
    public int Trainings { get; private set; }

    /// <summary>Gets the number of predictions trained on.</summary>
    public long Predictions { get; private set; }

    /// <summary>Gets the processor time of the trainings, all threads: windows, batches, passes, and copying the model.</summary>
    public TimeSpan Processor { get; private set; }

    /// <summary>Trains on every event before a moment.</summary>
    /// <exception cref="NonFiniteLossException">Ten consecutive steps had a non-finite loss or gradient.</exception>
    public void Train(long moment, CancellationToken cancellation)
    {
        long begun = _processor.GetTimestamp();
        OfflineSplit split = RetrainWindows.Before(_log, moment, _engine.Model.HistoryLength, _keys, Observer.Items);
        if (split.Train.Count > 0)
        {
            if (_options.Start == RetrainStart.Warm)
            {
                Train(_engine, split, moment, firstStep: _steps.Count, cancellation);
            }
            else
            {
                Replace(split, moment, cancellation);
            }

            Trainings++;
        }

        Processor += _processor.GetElapsedTime(begun);
    }

    /// <exception cref="NonFiniteLossException">No step was applied.</exception>
    public void ThrowIfUntrained() => _steps.ThrowIfNoneApplied();

    /// <inheritdoc/>
    public void Dispose()
    {
        Observer.Dispose();
        _engine.Dispose();
    }

    private void Replace(OfflineSplit split, long moment, CancellationToken cancellation)
    {
        using TrainingEngine engine = _create();
        Observer.Items.InitializeRows(engine);
        for (int item = 0; _features.Groups.Count > 0 && item < _keys.Length; item++)
        {
            if (Observer.Items.Find(_keys[item]) is var row and >= 0)
            {
                engine.SetFeatures(row, _features.Rows[item]);
            }
        }

        Train(engine, split, moment, firstStep: 0, cancellation);
        using TensorSnapshot trained = engine.BeginSnapshot();
        _engine.Restore(trained);
    }

    private void Train(TrainingEngine engine, OfflineSplit split, long moment, long firstStep, CancellationToken cancellation)
    {
        // The order depends on the moment and not on the trainings before: an untrained start gives the same model with or without them.
        var random = new Random(unchecked((int)SplitMix64.Finalize(engine.Model.Seed ^ (ulong)moment)));
        var batcher = new SequenceBatcher(split, engine.Model, _batching, Observer.Items.Rows.ToArray());
        int[] predictions = [.. Enumerable.Range(0, split.Train.Count).Select(i => Predicted(split, i))];
        long total = predictions.Sum(static count => (long)count) * _options.Passes;
        var rate = new LearningRateOptions
        {
            Peak = _options.LearningRate,
            WarmupSteps = (int)Math.Min(total / 10, int.MaxValue),
            Shape = LearningRateShape.Cosine,
            TotalSteps = total,
        };
        int[] order = [.. Enumerable.Range(0, split.Train.Count)];
        long done = 0;
        long step = firstStep;
        for (int pass = 0; pass < _options.Passes; pass++)
        {
            random.Shuffle(order);
            for (int first = 0, end; first < order.Length; first = end)
            {
                cancellation.ThrowIfCancellationRequested();
                end = End(order, predictions, first);
                batcher.Fill(split.Train, order.AsSpan(first, end - first));

                // The schedule counts predictions: the number of steps depends on the order.
                _steps.Add(engine.Step(batcher.Batch(step++, rate.At(done), engine.BankCount)));
                done += batcher.Predictions;
            }
        }

        Predictions += done;
    }

    private int End(int[] order, int[] predictions, int first)
    {
        int end = first;
        for (int count = 0; end < order.Length && count < _options.BatchSize; end++)
        {
            count += predictions[order[end]];
        }

        return end;
    }

    private static int Predicted(OfflineSplit split, int window) =>
        split.TrainWeights[window].Length - System.MemoryExtensions.Count(split.TrainWeights[window], 0f);
}
