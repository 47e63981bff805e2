using System.Globalization;
using Streaming.Core.Items;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Streams recorded events through the live trainer: every event is ranked, then trained on.</summary>
/// <param name="settings">Settings of model and stream.</param>
/// <param name="setup">The stream.</param>
/// <param name="createEngine">Creates an engine for a model.</param>
/// <param name="threads">Threads for scoring.</param>
/// <param name="keep">Keeps the best model; may be null.</param>
/// <param name="progress">Progress output.</param>
/// <param name="time">Clock.</param>
internal sealed class StreamArm(
    BacktestOptions settings,
    StreamSetup setup,
    Func<BacktestOptions, ModelOptions, TrainingEngine> createEngine,
    int threads,
    BestModel? keep,
    BacktestProgress progress,
    TimeProvider time
)
{
    private const int DecidingCutoff = 10;
    private readonly ProcessorTime _processor = new();

    /// <summary>Gets the model.</summary>
    public ModelOptions Model { get; } = setup.Model(settings);

    /// <summary>Runs one seed.</summary>
    /// <param name="name">Name in progress lines and errors.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Cancels the run.</param>
    /// <exception cref="NonFiniteLossException">Training failed.</exception>
    public StreamRun Run(string name, ulong seed, CancellationToken cancellation)
    {
        PrequentialOptions measures = setup.Measures(settings);
        var curve = new StreamCurve.Recorder(setup.ShownCutoff, measures.Window);
        var fused = new StreamCurve.Recorder(setup.ShownCutoff, measures.Window);
        RecallSinceTraining? days = setup.Schedule is { } schedule ? new RecallSinceTraining(schedule, measures) : null;
        long begun = time.GetTimestamp();
        TimeSpan processor = TimeSpan.Zero;
        using TrainingEngine engine = createEngine(settings, Model with { Seed = seed });
        using var trainer = new Trainer(
            engine,
            settings.Training with
            {
                Evaluation = measures,
                EvaluateEvery = settings.Stream.EvaluateEvery,
                EvaluationThreads = threads,
            },
            _processor
        );
        EventStream stream = setup.Stream(settings, Model.HistoryLength);
        Func<string, ItemChange?>? catalogue = setup.Catalogue(settings);
        while (stream.Next(catalogue) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            trainer.IsAfterDrift = setup.IsAfterDrift(stream);
            long started = _processor.GetTimestamp();
            TrainReport report = trainer.Train(batch);
            processor += _processor.GetElapsedTime(started);
            days?.Add(batch, report.Ranks);
            if (report.RecallDrop is { } drop)
            {
                progress.Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name}: drift after {stream.Done} events: Recall@20 {drop.Recall:F4}, before {drop.Before:F4}"
                    )
                );
            }

            curve.At(stream.Done, trainer.Evaluator, Model.Widths.Count - 1, report.BankEntries);
            if (trainer.Sources is { } sources)
            {
                fused.At(stream.Done, sources, sources.Widths.Count - 1, report.BankEntries);
            }

            RankingMetrics recent = trainer.Evaluator.Recent(Model.Widths.Count - 1, EvaluationSegment.NewItems);
            progress.Stream(
                name,
                stream.Done,
                setup.Records,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"loss {report.Step.Loss:F3}, bank {report.BankEntries}, Recall@{setup.ShownCutoff} of new items "
                        + $"{recent.Recall(setup.ShownCutoff):F4}"
                )
            );
        }

        Check(trainer, name);
        double seconds = time.GetElapsedTime(begun).TotalSeconds;
        progress.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {seconds:F0} s, {100 * trainer.EvaluationTime / (processor + TimeSpan.FromTicks(1)):F0} % of the processor time "
                    + $"scoring; "
                    + $"item counts use {trainer.CountBytes / 1e6:F1} MB, {100 * trainer.CountsLost:F1} % of their weight dropped"
            )
        );
        double ndcg = trainer.Evaluator.Total(Model.Widths.Count - 1, EvaluationSegment.NewItems).Ndcg(DecidingCutoff);
        if (keep?.Wants(ndcg) == true)
        {
            keep.Keep(ndcg, trainer, stream.State);
        }

        return new StreamRun(trainer.Evaluator, trainer.Sources, trainer.SourceNames, curve, fused)
        {
            Days = days,
            Training = processor - trainer.EvaluationTime,
        };
    }

    /// <exception cref="NonFiniteLossException">No step was applied.</exception>
    private void Check(Trainer trainer, string name)
    {
        TrainerCounters counters = trainer.Counters;
        if (counters.NonFiniteSteps == counters.Steps)
        {
            throw new NonFiniteLossException(
                $"{name}: none of {counters.Steps} steps was applied; each had a non-finite loss or gradient. Lower "
                    + "STREAMING__Training__LearningRate__Peak, or check the features.",
                (int)counters.Steps
            );
        }

        if (counters.NonFiniteSteps > 0)
        {
            progress.Line(
                FormattableString.Invariant(
                    $"{name}: {counters.NonFiniteSteps} of {counters.Steps} steps had a non-finite loss or gradient and were not applied"
                )
            );
        }
    }
}
