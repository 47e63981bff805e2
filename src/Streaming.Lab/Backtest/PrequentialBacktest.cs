using System.Globalization;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
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
    private readonly List<RetrainReport.Arm> _arms = [];
    private StreamSetup? _setup;
    private double _bestNdcg = double.NegativeInfinity;

    /// <summary>Gets the settings with the best NDCG@10 on new items at the largest width; null before the first.</summary>
    public BacktestOptions? BestSettings { get; private set; }

    private StreamSetup Setup => _setup ?? throw new InvalidOperationException("The backtest has not started.");

    /// <summary>Runs the backtest.</summary>
    /// <exception cref="Worker.Failures.SettingsException">The stream ends before the first scheduled training.</exception>
    public BacktestReport Run(CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        IReadOnlyList<IReadOnlyDictionary<string, string>> combinations = request.Combinations;
        BacktestOptions[] settings =
        [
            .. combinations.Select(combination =>
                BacktestSettings.Load(combination, request.Protocol, request.SettingsFile, request.HasFeatures)
            ),
        ];
        _setup = new StreamSetup(request, events, log, features.Of, settings[0].Retrain.Every, time);
        progress.Line(
            string.Create(CultureInfo.InvariantCulture, $"{log.EventCount} events, {log.Sequences.Count} users, {log.Items.Count} items")
        );
        TellSchedule(settings[0]);
        if (!request.NoBaselines)
        {
            AddBaselines(settings[0], cancellation);
        }

        var streams = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < combinations.Count; i++)
        {
            // Settings of scheduled training do not change the stream's own model, which is trained once.
            string label = SettingsGrid.Label(combinations[i], combinations, static name => !IsOfRetraining(name));
            if (streams.Add(label))
            {
                Run(settings[i], label, cancellation);
            }

            if (Setup.Schedule is { } schedule)
            {
                Retrain(settings[i], schedule, SettingsGrid.Label(combinations[i], combinations), cancellation);
            }
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
            Retraining = Setup.Schedule is { } trainings
                ? new RetrainReport(trainings.Every, trainings.Trainings.Count, Setup.ShownCutoff, _arms)
                : null,
        };
    }

    private void AddBaselines(BacktestOptions settings, CancellationToken cancellation)
    {
        PrequentialOptions measures = Setup.Measures(settings);
        StreamingBaseline[] baselines = StreamBaselines.Create();
        PrequentialEvaluator[] evaluators = [.. baselines.Select(_ => new PrequentialEvaluator([0], measures))];
        StreamCurve.Recorder[] curves = [.. baselines.Select(_ => new StreamCurve.Recorder(Setup.ShownCutoff, measures.Window))];
        EventStream stream = Setup.Stream(settings, historyLength: 1);
        var measured = new StreamBaselines(baselines, evaluators, settings.Stream.EvaluateEvery);
        while (stream.Next(catalogue: null) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            measured.Take(batch, Setup.IsAfterDrift(stream));

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
        var arm = new StreamArm(settings, Setup, createEngine, request.Threads, keep, progress, time);
        ModelOptions model = arm.Model;
        var runs = new List<StreamRun>();
        foreach (int seed in request.Seeds)
        {
            string name = string.Join(
                ' ',
                new[] { Name(model.Tower), Name(model.Loss), $"seed {seed}", label }.Where(part => part.Length > 0)
            );
            runs.Add(arm.Run(name, (ulong)seed, cancellation));
            Tell(name, runs[^1].Model);
        }

        List<PrequentialEvaluator> evaluators = [.. runs.Select(run => run.Model)];
        AddRows(Name(model.Tower), Name(model.Loss), model.Widths, label, evaluators);
        string curve = string.Join(' ', new[] { Name(model.Tower), Name(model.Loss), label }.Where(part => part.Length > 0));
        _curves.Add(StreamCurve.Mean(curve, [.. runs.Select(run => run.Curve)]));
        if (runs[0].Sources is not null)
        {
            AddSourceRows(runs, Name(model.Loss), model.Widths, label);
            _curves.Add(StreamCurve.Mean(curve + " fused", [.. runs.Select(run => run.FusedCurve!)]));
        }

        if (Setup.Schedule is not null)
        {
            _arms.Add(RetrainReport.Arm.Of(curve, "each batch", runs, Setup.ShownCutoff));
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

    /// <summary>Runs the model that is retrained on a schedule and frozen in between, on the same stream.</summary>
    private void Retrain(BacktestOptions settings, RetrainSchedule schedule, string label, CancellationToken cancellation)
    {
        var arm = new RetrainArm(settings, Setup, schedule, log, createEngine, request.Threads, progress, time);
        List<StreamRun> runs = [];
        foreach (int seed in request.Seeds)
        {
            string name = string.Join(' ', new[] { arm.Name, $"seed {seed}", label }.Where(part => part.Length > 0));
            runs.Add(arm.Run(name, (ulong)seed, cancellation));
            Tell(name, runs[^1].Model);
        }

        AddRows(arm.Name, Name(arm.Model.Loss), arm.Model.Widths, label, [.. runs.Select(run => run.Model)]);
        string curve = $"{arm.Name} {label}".TrimEnd();
        _curves.Add(StreamCurve.Mean(curve, [.. runs.Select(run => run.Curve)]));
        _arms.Add(RetrainReport.Arm.Of(curve, arm.Training, runs, Setup.ShownCutoff));
    }

    private void TellSchedule(BacktestOptions settings)
    {
        if (Setup.Schedule is { } schedule)
        {
            progress.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{schedule.Trainings.Count} scheduled trainings; the first "
                        + $"{Setup.Measures(settings).SkipExamples} scored examples are not measured, among them all before the first "
                        + $"training"
                )
            );
        }
    }

    private void AddRows(
        string tower,
        string loss,
        IReadOnlyList<int> widths,
        string label,
        List<PrequentialEvaluator> evaluators,
        int first = 0
    )
    {
        if (evaluators[0].Total(first, EvaluationSegment.All).Count == 0)
        {
            throw new InputFileException(
                $"No example of {evaluators[0].Examples} scored is measured: the first {evaluators[0].Options.SkipExamples} are not. Lower "
                    + "STREAMING__Stream__SkipShare, STREAMING__Stream__EvaluateEvery or STREAMING__Retrain__Every (--retrain)."
            );
        }

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
            $"{name}: Recall@{Setup.ShownCutoff} of new items {RecallByWidth(evaluator, EvaluationSegment.NewItems)}, of known users "
                + RecallByWidth(evaluator, EvaluationSegment.NewItemsOfKnownUsers)
        );

    private string RecallByWidth(PrequentialEvaluator evaluator, EvaluationSegment segment) =>
        string.Join(
            " / ",
            evaluator.Widths.Select(
                (_, width) => evaluator.Total(width, segment).Recall(Setup.ShownCutoff).ToString("F4", CultureInfo.InvariantCulture)
            )
        );

    private static bool IsOfRetraining(string name) =>
        BacktestSettings.Bare(name).StartsWith("Retrain__", StringComparison.OrdinalIgnoreCase);

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
