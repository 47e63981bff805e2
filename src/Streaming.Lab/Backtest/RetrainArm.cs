using System.Globalization;
using Streaming.Core.Items;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Runs a model that is retrained on a schedule over a stream; it is scored as the stream's own model is.</summary>
/// <param name="settings">Settings of model, stream and schedule.</param>
/// <param name="setup">The stream.</param>
/// <param name="schedule">The trainings.</param>
/// <param name="log">All events, with times.</param>
/// <param name="createEngine">Creates an engine for a model.</param>
/// <param name="threads">Threads for scoring.</param>
/// <param name="progress">Progress output.</param>
/// <param name="time">Clock.</param>
internal sealed class RetrainArm(
    BacktestOptions settings,
    StreamSetup setup,
    RetrainSchedule schedule,
    InteractionLog log,
    Func<BacktestOptions, ModelOptions, TrainingEngine> createEngine,
    int threads,
    BacktestProgress progress,
    TimeProvider time
)
{
    /// <summary>Gets the name of its rows: "retrained 7d".</summary>
    public string Name => "retrained " + Core.Options.OptionText.Format(schedule.Every);

    /// <summary>Gets how it is trained.</summary>
    public string Training =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"passes {settings.Retrain.Passes}, {settings.Retrain.Start.ToString().ToLowerInvariant()}"
        );

    /// <summary>Gets the model: that of the stream. Shuffled batches of whole sequences are large and representative; a memory bank
    /// would only add cost, so CBNS becomes in-batch, and the union of all sources mixed negatives.</summary>
    public ModelOptions Model { get; } = WithoutBank(setup.Model(settings));

    /// <summary>Runs one seed.</summary>
    /// <param name="name">Name in progress lines and errors.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Cancels the run.</param>
    /// <exception cref="NonFiniteLossException">Training failed.</exception>
    public StreamRun Run(string name, ulong seed, CancellationToken cancellation)
    {
        PrequentialOptions measures = setup.Measures(settings);
        ModelOptions seeded = Model with { Seed = seed };
        using var model = new RetrainedModel(
            settings,
            log,
            setup.Features(settings),
            () => createEngine(settings, seeded),
            Scoring(measures),
            name
        );
        Trainer observer = model.Observer;
        var curve = new StreamCurve.Recorder(setup.ShownCutoff, measures.Window);
        var days = new RecallSinceTraining(schedule, measures);
        long begun = time.GetTimestamp();
        int next = 0;
        EventStream stream = setup.Stream(settings, Model.HistoryLength);
        Func<string, ItemChange?>? catalogue = setup.Catalogue(settings);
        while (true)
        {
            if (next < schedule.Trainings.Count && stream.Done == schedule.Trainings[next].Record)
            {
                model.Train(schedule.Trainings[next++].Moment, cancellation);
            }

            if (stream.Next(catalogue) is not { } batch)
            {
                break;
            }

            cancellation.ThrowIfCancellationRequested();
            observer.IsAfterDrift = setup.IsAfterDrift(stream);
            days.Add(batch, observer.Observe(batch).Ranks);
            curve.At(stream.Done, observer.Evaluator, Model.Widths.Count - 1, bankEntries: 0);
            progress.Stream(name, stream.Done, setup.Records, State(model));
        }

        model.ThrowIfUntrained();
        progress.Line(
            string.Create(CultureInfo.InvariantCulture, $"{name}: {time.GetElapsedTime(begun).TotalSeconds:F0} s, {State(model)}")
        );
        return new StreamRun(observer.Evaluator, null, [], curve, null) { Days = days, Training = model.Processor };
    }

    private static ModelOptions WithoutBank(ModelOptions model) =>
        model with
        {
            Loss = model.Loss switch
            {
                LossKind.Cbns => LossKind.InBatch,
                LossKind.Union => LossKind.Mns,
                LossKind loss => loss,
            },
        };

    private static string State(RetrainedModel model) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Trainings} trainings, {model.Predictions} predictions trained, {model.Processor.TotalSeconds:F0} s of processor time"
        );

    private TrainerOptions Scoring(PrequentialOptions measures) =>
        settings.Training with
        {
            Evaluation = measures,
            EvaluateEvery = settings.Stream.EvaluateEvery,
            EvaluationThreads = threads,

            // Nothing is replayed, and counts would cost time that the model does not need.
            Replay = settings.Training.Replay with
            {
                Ratio = 0,
            },
            Counts = settings.Training.Counts with { MaxBytes = 0 },
        };
}
