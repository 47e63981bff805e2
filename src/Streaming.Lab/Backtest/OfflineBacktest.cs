using System.Globalization;
using Streaming.Core.Ingestion;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Runs an offline protocol: baselines, then every combination of settings with every seed.</summary>
/// <param name="request">The command line.</param>
/// <param name="log">The data.</param>
/// <param name="features">Features of the items.</param>
/// <param name="createEngine">Creates the engine that the settings select, for a model.</param>
/// <param name="keep">Keeps the best model; may be null.</param>
/// <param name="histories">Creates user histories at the end of the log; null if unknown.</param>
/// <param name="progress">Progress output.</param>
/// <param name="time">Clock.</param>
internal sealed class OfflineBacktest(
    BacktestRequest request,
    InteractionLog log,
    FeatureSource features,
    Func<BacktestOptions, ModelOptions, TrainingEngine> createEngine,
    BestModel? keep,
    Func<int, IngestState>? histories,
    BacktestProgress progress,
    TimeProvider time
)
{
    private readonly List<ReportRow> _rows = [];
    private readonly List<ModelCost> _costs = [];
    private double _bestNdcg = double.NegativeInfinity;

    /// <summary>Gets the settings with the best validation NDCG@10, mean over the seeds; null before the first.</summary>
    public BacktestOptions? BestSettings { get; private set; }

    /// <summary>Runs the backtest.</summary>
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
        OfflineSplit split = Split(validates: settings.Any(values => !values.Offline.KeepLast));
        (int targets, int repeats) = split.Test.TargetCounts();
        progress.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{log.Sequences.Count} users, {log.Items.Count} items, {log.EventCount} events; {split.Train.Count} training "
                    + $"sequences, {split.Validation.Count} validation and {split.Test.Count} test cases"
            )
        );
        if (repeats > 0)
        {
            progress.Line(BacktestReport.SayRepeats(targets, repeats));
        }

        if (!request.NoBaselines)
        {
            AddBaselines(split);
        }

        for (int i = 0; i < combinations.Count; i++)
        {
            Run(split, settings[i], SettingsGrid.Label(combinations[i], combinations), cancellation);
        }

        keep?.Finish(log, split, histories);
        if (keep is not null && histories is null)
        {
            progress.Line("the saved model has no user histories, because --sequences has no times; use --events to include them");
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
            Targets = targets,
            RepeatTargets = repeats,
            Costs = request.SingleWidth ? _costs : [],
        };
    }

    private OfflineSplit Split(bool validates) =>
        request.Protocol switch
        {
            BacktestProtocol.LeaveOneOut => SplitProtocol
                .LeaveOneOut(log)
                .Checked("leave-one-out", "it needs users with at least 3 trainable events", validates),
            BacktestProtocol.UserSplit => SplitProtocol
                .ByUser(log, request.Seeds[0])
                .Checked("user", "it needs at least 10 users, some with 2 events", validates),
            BacktestProtocol.TimeSplit => SplitProtocol
                .ByTime(log)
                .Checked("time", "it needs events in the last fifth and tenth of the log by users with earlier events", validates),
            _ => throw new InvalidOperationException($"{request.Protocol} is not an offline protocol."),
        };

    private void AddBaselines(OfflineSplit split)
    {
        foreach (StreamingBaseline baseline in OfflineBaselines.Create())
        {
            (RankingMetrics? unmasked, RankingMetrics? masked) = OfflineBaselines.Measure(baseline, split, request.Cutoffs);
            _rows.Add(new ReportRow(baseline.Name, "none", 0, IsSingleWidth: false, HistoryMasked: false, null, string.Empty, [unmasked]));
            _rows.Add(new ReportRow(baseline.Name, "none", 0, IsSingleWidth: false, HistoryMasked: true, null, string.Empty, [masked]));
            progress.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{baseline.Name}: Recall@{request.Cutoffs[^1]} {masked.Recall(request.Cutoffs[^1]):F4} (history masked)"
                )
            );
        }
    }

    private void Run(OfflineSplit split, BacktestOptions settings, string label, CancellationToken cancellation)
    {
        ItemFeatures items = features.Of(settings.Model);
        ModelOptions model = settings.Model with { FeatureGroups = items.Groups, ItemCapacity = Math.Max(2, log.Items.Count) };
        double ndcg = Train(split, settings, model, items, alone: false, label, cancellation);
        if (ndcg > _bestNdcg)
        {
            _bestNdcg = ndcg;
            BestSettings = settings;
        }

        int first = _costs.Count;
        for (int width = 0; request.SingleWidth && width < model.Widths.Count; width++)
        {
            Train(split, settings, OnlyWidth(model, width), items, alone: true, label, cancellation);
        }

        if (request.SingleWidth)
        {
            _costs.Add(ModelCost.Sum($"{_costs.Count - first} models {label}".TrimEnd(), _costs[first..]));
        }
    }

    private static ModelOptions OnlyWidth(ModelOptions model, int width) =>
        model with
        {
            Widths = [model.Widths[width]],
            WidthWeights = [],
            Dropout = model.Dropout.Count > 1 ? [model.Dropout[width]] : model.Dropout,
        };

    private double Train(
        OfflineSplit split,
        BacktestOptions settings,
        ModelOptions model,
        ItemFeatures items,
        bool alone,
        string label,
        CancellationToken cancellation
    )
    {
        var results = new List<OfflineResult>();
        var costs = new List<ModelCost>();
        foreach (int seed in request.Seeds)
        {
            using TrainingEngine engine = createEngine(settings, model with { Seed = (ulong)seed });
            SetItems(engine, items);
            var trainer = new OfflineTrainer(
                split,
                settings.Offline,
                request.Cutoffs,
                request.Threads,
                alone ? null : keep,
                progress,
                time
            );
            string name = string.Join(
                    ' ',
                    new[]
                    {
                        model.Tower.ToString(),
                        model.Loss.ToString(),
                        $"widths {string.Join(',', model.Widths)}",
                        $"seed {seed}",
                        label,
                    }.Where(part => part.Length > 0)
                )
                .ToLowerInvariant();
            results.Add(trainer.Run(engine, name, cancellation));
            Tell(name, results[^1]);
            costs.Add(ModelCost.Of($"{Name(model.Tower)} {Name(model.Loss)} {label}".TrimEnd(), alone, engine, log.Items, results[^1]));
        }

        _costs.Add(ModelCost.Mean(costs));

        for (int width = 0; width < model.Widths.Count; width++)
        {
            AddRow(masked: false, [.. results.Select(result => result.Unmasked[width])], width);
            AddRow(masked: true, [.. results.Select(result => result.Masked[width])], width);
        }

        return results.Average(result => result.ValidationNdcg);

        void AddRow(bool masked, RankingMetrics[] runs, int width) =>
            _rows.Add(new ReportRow(Name(model.Tower), Name(model.Loss), model.Widths[width], alone, masked, null, label, runs));
    }

    private void Tell(string name, OfflineResult result) =>
        progress.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: epoch {result.KeptEpoch} of {result.Epochs} kept, {result.Steps} steps, {result.Seconds:F0} s; test "
                    + $"Recall@{request.Cutoffs[^1]} of the largest width {result.Unmasked[^1].Recall(request.Cutoffs[^1]):F4}, history "
                    + $"masked {result.Masked[^1].Recall(request.Cutoffs[^1]):F4}"
            )
        );

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private void SetItems(TrainingEngine engine, ItemFeatures items)
    {
        for (int row = 0; row < log.Items.Count; row++)
        {
            engine.InitializeRow(row, Core.Hashing.XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(log.Items[row])));
            if (items.Groups.Count > 0)
            {
                engine.SetFeatures(row, items.Rows[row]);
            }
        }
    }
}
