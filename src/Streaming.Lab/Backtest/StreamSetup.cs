using System.Collections.Frozen;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Formats.Files;
using Streaming.Learning.Evaluation;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>What all models and baselines on a stream share: the same batches, measured on the same examples.</summary>
internal sealed class StreamSetup
{
    private readonly BacktestRequest _request;
    private readonly EventLog _events;
    private readonly InteractionLog _log;
    private readonly Func<ModelOptions, ItemFeatures> _features;
    private readonly TimeProvider _time;
    private readonly FrozenSet<int> _pauses;

    /// <summary>Creates the setup.</summary>
    /// <param name="request">The command line.</param>
    /// <param name="events">The records, sorted by time.</param>
    /// <param name="log">The ingested result.</param>
    /// <param name="features">The features of the items for a model.</param>
    /// <param name="retrainEvery">Interval of scheduled trainings; null: none.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="Worker.Failures.SettingsException">The stream ends before the first training.</exception>
    public StreamSetup(
        BacktestRequest request,
        EventLog events,
        InteractionLog log,
        Func<ModelOptions, ItemFeatures> features,
        TimeSpan? retrainEvery,
        TimeProvider time
    )
    {
        _request = request;
        _events = events;
        _log = log;
        _features = features;
        _time = time;
        Schedule = retrainEvery is { } every ? new RetrainSchedule(events, every) : null;
        _pauses = (Schedule?.Trainings.Select(static training => training.Record) ?? []).Append(DriftStart).ToFrozenSet();
    }

    /// <summary>Gets the scheduled trainings; null: none.</summary>
    public RetrainSchedule? Schedule { get; }

    /// <summary>Gets the number of records.</summary>
    public int Records => _events.Count;

    /// <summary>Gets the cutoff of progress lines and curves.</summary>
    public int ShownCutoff => _request.Cutoffs.MinBy(cutoff => Math.Abs(cutoff - 20));

    private int DriftStart => (int)(_request.DriftAt * _events.Count);

    /// <summary>Creates the stream. Batches end at the planted drift and at each scheduled training.</summary>
    /// <param name="settings">Data and batch size.</param>
    /// <param name="historyLength">Items of a history that the model reads.</param>
    public EventStream Stream(BacktestOptions settings, int historyLength) =>
        new(_events, settings, settings.Stream.BatchSize, historyLength, _time, _pauses, settings.Stream);

    /// <summary>Whether the batch just read comes after the planted drift.</summary>
    public bool IsAfterDrift(EventStream stream) => _request.DriftAt > 0 && stream.Done > DriftStart;

    /// <summary>Gets what is measured: all but the first share of the examples, and none before the first scheduled training.</summary>
    public PrequentialOptions Measures(BacktestOptions settings) =>
        settings.Training.Evaluation with
        {
            Cutoffs = _request.Cutoffs,
            SkipExamples = Math.Max(
                (long)(_log.ExampleCount * settings.Stream.SkipShare / settings.Stream.EvaluateEvery),
                ExamplesBeforeTraining(settings)
            ),
        };

    /// <summary>Gets the features of the items for a model.</summary>
    public ItemFeatures Features(BacktestOptions settings) => _features(settings.Model);

    /// <summary>Gets what gives an item's catalogue record; null without features.</summary>
    public Func<string, ItemChange?>? Catalogue(BacktestOptions settings) =>
        Features(settings) is { Groups.Count: > 0 } features ? features.Change : null;

    /// <summary>The model with the features and as many rows as the data need.</summary>
    public ModelOptions Model(BacktestOptions settings) =>
        settings.Model with
        {
            FeatureGroups = Features(settings).Groups,
            ItemCapacity = BestModel.Capacity(_log.Items.Count, settings.Training.Items),
        };

    private long ExamplesBeforeTraining(BacktestOptions settings)
    {
        long examples = 0;
        EventStream stream = Stream(settings, historyLength: 1);
        for (long batches = 0; Schedule is not null && stream.Done < Schedule.Trainings[0].Record; )
        {
            Batch batch = stream.Next(catalogue: null)!;
            bool isScored = batch.Count > 0 && batches++ % settings.Stream.EvaluateEvery == 0;
            examples += isScored ? batch.Count : 0;
        }

        return examples;
    }
}
