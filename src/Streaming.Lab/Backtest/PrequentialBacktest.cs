using System.Globalization;
using Streaming.Core.Items;
using Streaming.Formats.Files;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Streams recorded events through the live trainer: every event is ranked, then trained on. Streaming
/// baselines are measured on the same events.
/// </summary>
/// <param name="request">The command line.</param>
/// <param name="events">The records, sorted by time.</param>
/// <param name="log">The ingested result: number of events, users and items.</param>
/// <param name="features">Features of the items in the log.</param>
/// <param name="createEngine">Creates the engine that the settings select, for a model.</param>
/// <param name="keep">Keeps the best model; may be null.</param>
/// <param name="progress">Progress output.</param>
/// <param name="time">Clock.</param>
internal sealed class PrequentialBacktest(
    BacktestRequest request,
    EventLog events,
    InteractionLog log,
    FeatureSource features,
    Func<BacktestOptions, ModelOptions, TrainingEngine> createEngine,
    BestModel? keep,
    BacktestProgress progress,
    TimeProvider time
)
{
    private const int DecidingCutoff = 10;
    private readonly List<ReportRow> _rows = [];
    private readonly List<StreamCurve> _curves = [];
    private double _bestNdcg = double.NegativeInfinity;

    /// <summary>Gets the settings with the best NDCG@10 on new items at the largest width; null before the first.</summary>
    public BacktestOptions? BestSettings { get; private set; }

    /// <summary>Runs the backtest.</summary>
    public BacktestReport Run(CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        IReadOnlyList<IReadOnlyDictionary<string, string>> combinations = SettingsGrid.Combinations(request.Try);
        BacktestOptions[] settings =
        [
            .. combinations.Select(combination =>
                BacktestSettings.Load(combination, request.Protocol, request.SettingsFile, request.HasFeatures)
            ),
        ];
        progress.Line(
            string.Create(CultureInfo.InvariantCulture, $"{log.EventCount} events, {log.Sequences.Count} users, {log.Items.Count} items")
        );
        if (!request.NoBaselines)
        {
            AddBaselines(settings[0], cancellation);
        }

        for (int i = 0; i < combinations.Count; i++)
        {
            Run(settings[i], SettingsGrid.Label(combinations[i], combinations), cancellation);
        }

        return new BacktestReport(
            request.Protocol.ToString(),
            log.Sequences.Count,
            log.Items.Count,
            log.EventCount,
            request.Seeds,
            request.Cutoffs,
            time.GetElapsedTime(start).TotalSeconds,
            _rows
        )
        {
            Curves = _curves,
        };
    }

    private void AddBaselines(BacktestOptions settings, CancellationToken cancellation)
    {
        PrequentialOptions measures = Measures(settings);
        StreamingBaseline[] baselines = StreamBaselines.Create();
        PrequentialEvaluator[] evaluators = [.. baselines.Select(_ => new PrequentialEvaluator([0], measures))];
        StreamCurve.Recorder[] curves = [.. baselines.Select(_ => new StreamCurve.Recorder(ShownCutoff, measures.Window))];
        EventStream stream = Stream(settings, historyLength: 1);
        var measured = new StreamBaselines(baselines, evaluators, settings.Stream.EvaluateEvery);
        while (stream.Next(catalogue: null) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            measured.Take(batch, IsAfterDrift(stream));

            for (int b = 0; b < baselines.Length; b++)
            {
                curves[b].At(stream.Done, evaluators[b], width: 0, bankEntries: 0);
            }

            progress.Stream("baselines", stream.Done, events.Count, string.Empty);
        }

        for (int b = 0; b < baselines.Length; b++)
        {
            AddRows(baselines[b].Name, "none", [0], string.Empty, [evaluators[b]]);
            _curves.Add(StreamCurve.Mean(baselines[b].Name, [curves[b]]));
            Tell(baselines[b].Name, evaluators[b]);
        }
    }

    private void Run(BacktestOptions settings, string label, CancellationToken cancellation)
    {
        ItemFeatures items = features.Of(settings.Model);
        ModelOptions model = settings.Model with { FeatureGroups = items.Groups, ItemCapacity = Capacity(settings) };
        var runs = new List<StreamRun>();
        foreach (int seed in request.Seeds)
        {
            string name = string.Join(
                ' ',
                new[] { Name(model.Tower), Name(model.Loss), $"seed {seed}", label }.Where(part => part.Length > 0)
            );
            runs.Add(Train(settings, model with { Seed = (ulong)seed }, items, name, cancellation));
            Tell(name, runs[^1].Model);
        }

        List<PrequentialEvaluator> evaluators = [.. runs.Select(run => run.Model)];
        AddRows(Name(model.Tower), Name(model.Loss), model.Widths, label, evaluators);
        string curve = string.Join(' ', new[] { Name(model.Tower), Name(model.Loss), label }.Where(part => part.Length > 0));
        _curves.Add(StreamCurve.Mean(curve, [.. runs.Select(run => run.Curve)]));
        if (runs[0].Sources is not null)
        {
            AddSourceRows(runs, Name(model.Loss), model.Widths, label);
            _curves.Add(StreamCurve.Mean(curve + " fused", [.. runs.Select(run => run.FusedCurve)]));
        }

        double ndcg = evaluators.Average(evaluator =>
            evaluator.Total(model.Widths.Count - 1, EvaluationSegment.NewItems).Ndcg(DecidingCutoff)
        );
        if (ndcg > _bestNdcg)
        {
            _bestNdcg = ndcg;
            BestSettings = settings;
        }
    }

    private StreamRun Train(BacktestOptions settings, ModelOptions model, ItemFeatures items, string name, CancellationToken cancellation)
    {
        var curve = new StreamCurve.Recorder(ShownCutoff, Measures(settings).Window);
        var fused = new StreamCurve.Recorder(ShownCutoff, Measures(settings).Window);
        long begun = time.GetTimestamp();
        using TrainingEngine engine = createEngine(settings, model);
        using var trainer = new Trainer(
            engine,
            settings.Training with
            {
                Evaluation = Measures(settings),
                EvaluateEvery = settings.Stream.EvaluateEvery,
                EvaluationThreads = request.Threads,
            }
        );
        EventStream stream = Stream(settings, model.HistoryLength);
        Func<string, ItemChange?>? catalogue = items.Groups.Count > 0 ? items.Change : null;
        while (stream.Next(catalogue) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            trainer.IsAfterDrift = IsAfterDrift(stream);
            TrainReport report = trainer.Train(batch);
            curve.At(stream.Done, trainer.Evaluator, model.Widths.Count - 1, report.BankEntries);
            if (trainer.Sources is { } sources)
            {
                fused.At(stream.Done, sources, sources.Widths.Count - 1, report.BankEntries);
            }

            RankingMetrics recent = trainer.Evaluator.Recent(model.Widths.Count - 1, EvaluationSegment.NewItems);
            progress.Stream(
                name,
                stream.Done,
                events.Count,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"loss {report.Step.Loss:F3}, bank {report.BankEntries}, Recall@{ShownCutoff} of new items "
                        + $"{recent.Recall(ShownCutoff):F4}"
                )
            );
        }

        Check(trainer, name);
        double seconds = time.GetElapsedTime(begun).TotalSeconds;
        progress.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {seconds:F0} s, {100 * trainer.EvaluationTime.TotalSeconds / Math.Max(seconds, 1e-9):F0} % of it scoring; "
                    + $"item counts use {trainer.CountBytes / 1e6:F1} MB, {100 * trainer.CountsLost:F1} % of their weight dropped"
            )
        );
        double ndcg = trainer.Evaluator.Total(model.Widths.Count - 1, EvaluationSegment.NewItems).Ndcg(DecidingCutoff);
        if (keep?.Wants(ndcg) == true)
        {
            keep.Keep(ndcg, trainer, stream.State);
        }

        return new StreamRun(trainer.Evaluator, trainer.Sources, trainer.SourceNames, curve, fused);
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

    private EventStream Stream(BacktestOptions settings, int historyLength) =>
        new(events, settings, settings.Stream.BatchSize, historyLength, time, DriftStart);

    private int DriftStart => (int)(request.DriftAt * events.Count);

    private bool IsAfterDrift(EventStream stream) => request.DriftAt > 0 && stream.Done > DriftStart;

    private int ShownCutoff => request.Cutoffs.MinBy(cutoff => Math.Abs(cutoff - 20));

    private int Capacity(BacktestOptions settings) => BestModel.Capacity(log.Items.Count, settings.Training.Items);

    private PrequentialOptions Measures(BacktestOptions settings) =>
        settings.Training.Evaluation with
        {
            Cutoffs = request.Cutoffs,
            SkipExamples = (long)(log.ExampleCount * settings.Stream.SkipShare / settings.Stream.EvaluateEvery),
        };

    private void AddRows(
        string tower,
        string loss,
        IReadOnlyList<int> widths,
        string label,
        List<PrequentialEvaluator> evaluators,
        int first = 0
    )
    {
        foreach (EvaluationSegment segment in Enum.GetValues<EvaluationSegment>())
        {
            for (int width = 0; width < widths.Count && evaluators[0].Total(0, segment).Count > 0; width++)
            {
                _rows.Add(
                    new ReportRow(
                        tower,
                        loss,
                        widths[width],
                        IsSingleWidth: false,
                        HistoryMasked: segment is EvaluationSegment.NewItems or EvaluationSegment.NewItemsOfKnownUsers,
                        segment.ToString(),
                        label,
                        [.. evaluators.Select(evaluator => evaluator.Total(first + width, segment))]
                    )
                );
            }
        }
    }

    /// <summary>Results of counts alone, within the live memory bounds, and of counts with the model at each width. The baselines
    /// include the same methods with unbounded memory.</summary>
    private void AddSourceRows(List<StreamRun> runs, string loss, IReadOnlyList<int> widths, string label)
    {
        List<PrequentialEvaluator> sources = [.. runs.Select(run => run.Sources!)];
        int counts = runs[0].SourceNames.ToList().IndexOf("counts");
        AddRows("counts", "none", [0], label, sources, counts);
        AddRows("fused", loss, widths, label, sources, counts + 1);
    }

    private void Tell(string name, PrequentialEvaluator evaluator) =>
        progress.Line(
            $"{name}: Recall@{ShownCutoff} of new items {RecallByWidth(evaluator, EvaluationSegment.NewItems)}, of known users "
                + RecallByWidth(evaluator, EvaluationSegment.NewItemsOfKnownUsers)
        );

    private string RecallByWidth(PrequentialEvaluator evaluator, EvaluationSegment segment) =>
        string.Join(
            " / ",
            evaluator.Widths.Select(
                (_, width) => evaluator.Total(width, segment).Recall(ShownCutoff).ToString("F4", CultureInfo.InvariantCulture)
            )
        );

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
