using System.Globalization;
using Streaming.Core;
using Streaming.Learning;

namespace Streaming.Worker.Backtest;

/// <summary>
/// Runs recorded events as a stream through the same trainer that runs live: every event is ranked, then learned. Simple
/// streaming methods are measured beside it, event by event.
/// </summary>
/// <param name="request">What to do.</param>
/// <param name="events">The events, by time.</param>
/// <param name="features">Features of the items of <paramref name="itemIds"/>.</param>
/// <param name="itemIds">Ids of the items that have features.</param>
/// <param name="createEngine">Makes the engine that the settings name, for a model.</param>
/// <param name="keep">Keeps the best model; null: none is kept.</param>
/// <param name="progress">Where progress is told.</param>
/// <param name="time">Clock.</param>
internal sealed class PrequentialBacktest(
    BacktestRequest request,
    EventLog events,
    ItemFeatures features,
    IReadOnlyList<string> itemIds,
    Func<SettingsValues, ModelOptions, TrainingEngine> createEngine,
    BestModel? keep,
    BacktestProgress progress,
    TimeProvider time)
{
    private const int DecidingCutoff = 10;
    private readonly Dictionary<string, int> _featureRow = itemIds.Select((id, row) => (id, row)).ToDictionary(pair => pair.id, pair => pair.row, StringComparer.Ordinal);
    private readonly List<ReportRow> _rows = [];
    private readonly List<StreamCurve> _curves = [];
    private double _bestNdcg = double.NegativeInfinity;

    /// <summary>Gets the settings with the best NDCG@10 on new items at the largest width; null before the first.</summary>
    public SettingsValues? BestSettings { get; private set; }

    /// <summary>Runs it all.</summary>
    public BacktestReport Run(CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        var combinations = SettingsGrid.Combinations(request.Try);
        SettingsValues[] settings = [.. combinations.Select(combination => BacktestSettings.Load(combination, request.Protocol))];
        progress.Line(string.Create(CultureInfo.InvariantCulture, $"{events.Count} events, {events.Users} users, {events.Items} items"));
        if (!request.NoFloors)
        {
            AddFloors(settings[0], cancellation);
        }

        for (int i = 0; i < combinations.Count; i++)
        {
            Run(settings[i], SettingsGrid.Label(combinations[i], combinations), cancellation);
        }

        return new BacktestReport(
            request.Protocol.ToString(), events.Users, events.Items, events.Count, request.Seeds, request.Cutoffs, time.GetElapsedTime(start).TotalSeconds, _rows) { Curves = _curves };
    }

    private void AddFloors(SettingsValues settings, CancellationToken cancellation)
    {
        var options = settings.Get<StreamOptions>();
        var measures = Measures(settings);
        StreamingBaseline[] baselines = [new RecentPopularity(), new IncrementalItemKnn(), new IncrementalSgd()];
        PrequentialEvaluator[] evaluators = [.. baselines.Select(_ => new PrequentialEvaluator([0], measures))];
        StreamCurve.Recorder[] curves = [.. baselines.Select(_ => new StreamCurve.Recorder(ShownCutoff, measures.Window))];
        var stream = new EventStream(events, options.BatchSize, historyLength: 1);
        while (stream.Next(catalogue: null) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < batch.Count; i++)
            {
                (int user, int item, int length) = stream.Examples[i];
                var history = stream.History(user, length);
                for (int b = 0; b < baselines.Length; b++)
                {
                    var rank = baselines[b].Rank(user, history, item, batch.IsRepeat[i] ? [] : history);
                    evaluators[b].Record([rank], batch.IsRepeat[i], batch.IsKnownUser[i]);
                    baselines[b].Update(user, history, item);
                }
            }

            for (int b = 0; b < baselines.Length; b++)
            {
                curves[b].At(stream.Done, evaluators[b], bankEntries: 0);
            }

            progress.Stream("floors", stream.Done, events.Count, string.Empty);
        }

        for (int b = 0; b < baselines.Length; b++)
        {
            AddRows(baselines[b].Name, "none", [0], string.Empty, [evaluators[b]]);
            _curves.Add(StreamCurve.Mean(baselines[b].Name, [curves[b]]));
            Tell(baselines[b].Name, evaluators[b]);
        }
    }

    private void Run(SettingsValues settings, string label, CancellationToken cancellation)
    {
        var model = settings.Get<ModelOptions>() with { FeatureGroups = features.Groups, ItemCapacity = Capacity(settings) };
        var evaluators = new List<PrequentialEvaluator>();
        var curves = new List<StreamCurve.Recorder>();
        foreach (int seed in request.Seeds)
        {
            string name = string.Join(' ', new[] { Name(model.Tower), Name(model.Loss), $"seed {seed}", label }.Where(part => part.Length > 0));
            curves.Add(new StreamCurve.Recorder(ShownCutoff, Measures(settings).Window));
            evaluators.Add(Train(settings, model with { Seed = (ulong)seed }, name, curves[^1], cancellation));
            Tell(name, evaluators[^1]);
        }

        AddRows(Name(model.Tower), Name(model.Loss), model.Widths, label, evaluators);
        _curves.Add(StreamCurve.Mean(string.Join(' ', new[] { Name(model.Tower), Name(model.Loss), label }.Where(part => part.Length > 0)), curves));
        double ndcg = evaluators.Average(evaluator => evaluator.Total(model.Widths.Count - 1, EvaluationSegment.NewItems).Ndcg(DecidingCutoff));
        if (ndcg > _bestNdcg)
        {
            _bestNdcg = ndcg;
            BestSettings = settings;
        }
    }

    private PrequentialEvaluator Train(SettingsValues settings, ModelOptions model, string name, StreamCurve.Recorder curve, CancellationToken cancellation)
    {
        var options = settings.Get<StreamOptions>();
        using var engine = createEngine(settings, model);
        using var trainer = new Trainer(engine, settings.Get<TrainerOptions>() with
        {
            Evaluation = Measures(settings),
            EvaluateEvery = 1,
            EvaluationThreads = request.Threads,
        });
        var stream = new EventStream(events, options.BatchSize, model.HistoryLength);
        Func<string, ItemChange?>? catalogue = features.Groups.Count > 0 ? Change : null;
        while (stream.Next(catalogue) is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var report = trainer.Train(batch);
            curve.At(stream.Done, trainer.Evaluator, report.BankEntries);
            var recent = trainer.Evaluator.Recent(model.Widths.Count - 1, EvaluationSegment.NewItems);
            progress.Stream(name, stream.Done, events.Count, string.Create(
                CultureInfo.InvariantCulture, $"loss {report.Step.Loss:F3}, bank {report.BankEntries}, Recall@{ShownCutoff} of new items {recent.Recall(ShownCutoff):F4}"));
        }

        double ndcg = trainer.Evaluator.Total(model.Widths.Count - 1, EvaluationSegment.NewItems).Ndcg(DecidingCutoff);
        if (keep?.Wants(ndcg) == true)
        {
            keep.Keep(ndcg, trainer, Histories(model.HistoryLength));
        }

        return trainer.Evaluator;
    }

    /// <summary>What every user did, as the live ingestion keeps it.</summary>
    private IngestState Histories(int length)
    {
        var state = new IngestState(new HistoryOptions { Length = length, MaxUsers = Math.Max(events.Users, 1) }, new DedupOptions());
        var before = new ulong[length];
        for (int i = 0; i < events.Count; i++)
        {
            state.Histories.Append(Key(events[i].User), Key(events[i].Item), events[i].Time, long.MaxValue / 4, before);
        }

        return state;
    }

    private static ulong Key(string id) => XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(id));

    private int ShownCutoff => request.Cutoffs.MinBy(cutoff => Math.Abs(cutoff - 20));

    private int Capacity(SettingsValues settings) => BestModel.Capacity(events.Items, settings.Get<TrainerOptions>().Items);

    private PrequentialOptions Measures(SettingsValues settings) => settings.Get<TrainerOptions>().Evaluation with
    {
        Cutoffs = request.Cutoffs,
        SkipExamples = (long)(events.Count * settings.Get<StreamOptions>().SkipShare),
    };

    private ItemChange? Change(string id)
    {
        if (!_featureRow.TryGetValue(id, out int row))
        {
            return null;
        }

        var groups = new Dictionary<string, float[]>(StringComparer.Ordinal);
        int start = 0;
        foreach (var group in features.Groups)
        {
            groups[group.Name] = features.Rows[row][start..(start + group.Length)];
            start += group.Length;
        }

        return new ItemChange { ItemId = id, ItemKey = Key(id), Features = groups };
    }

    private void AddRows(string tower, string loss, IReadOnlyList<int> widths, string label, List<PrequentialEvaluator> evaluators)
    {
        foreach (var segment in Enum.GetValues<EvaluationSegment>())
        {
            for (int width = 0; width < widths.Count && evaluators[0].Total(0, segment).Count > 0; width++)
            {
                _rows.Add(new ReportRow(
                    tower, loss, widths[width], Alone: false, HistoryMasked: segment is EvaluationSegment.NewItems or EvaluationSegment.NewItemsOfKnownUsers, segment.ToString(), label, [.. evaluators.Select(evaluator => evaluator.Total(width, segment))]));
            }
        }
    }

    private void Tell(string name, PrequentialEvaluator evaluator) => progress.Line(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: Recall@{ShownCutoff} of new items {string.Join(" / ", evaluator.Widths.Select((_, width) => evaluator.Total(width, EvaluationSegment.NewItems).Recall(ShownCutoff).ToString("F4", CultureInfo.InvariantCulture)))}, of known users {string.Join(" / ", evaluator.Widths.Select((_, width) => evaluator.Total(width, EvaluationSegment.NewItemsOfKnownUsers).Recall(ShownCutoff).ToString("F4", CultureInfo.InvariantCulture)))}"));

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
