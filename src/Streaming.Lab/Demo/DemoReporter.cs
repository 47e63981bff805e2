using System.Globalization;
using System.Text;
using Streaming.Core.Events;
using Streaming.Lab.Demo.Report;
using Streaming.Lab.Feeds;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Serving.Recommendations;
using Streaming.Worker.Metrics;
using Streaming.Worker.Serve;
using Streaming.Worker.Stages;

namespace Streaming.Lab.Demo;

/// <summary>Creates a demo's report and formats it as text.</summary>
internal static class DemoReporter
{
    private const int Examples = 3;
    private const int Neighbours = 5;

    /// <summary>Creates the report after the pipeline has ended.</summary>
    public static async Task<DemoReport> CreateAsync(
        EventFeed feed,
        ModelOptions model,
        Pipeline pipeline,
        Lookups lookups,
        DemoStore store,
        long bytesBefore,
        long produced,
        TimeSpan elapsed
    )
    {
        PipelineStatus status = pipeline.Status();
        EventCounts counts = status.Counts;
        TrainerStatus trainer = pipeline.Trainer.Status();
        PrequentialEvaluator evaluator = pipeline.Trainer.Evaluator;
        return new DemoReport
        {
            Feed = feed.Description,
            Events = new EventTotals(produced, counts.Decoded, counts.Trained, counts.HistoryOnly, counts.DeadLettered, counts.Duplicates),
            EventsPerSecond = Math.Round(counts.Read / Math.Max(elapsed.TotalSeconds, 1e-3), 1),
            Seconds = Math.Round(elapsed.TotalSeconds, 3),
            Widths = [.. model.Widths.Select((width, k) => Quality(width, evaluator, k))],
            Baselines = Simple(pipeline.Trainer),
            Counts = Source(pipeline.Trainer, "counts", 0),
            Fused = pipeline.Trainer.Sources is null
                ? []
                : [.. model.Widths.Select(width => Source(pipeline.Trainer, $"fused {width}", width)!)],
            Cost = new EvaluationCost(
                Math.Round(trainer.EvaluationTime / elapsed, 4),
                trainer.CountBytes,
                Math.Round(pipeline.Trainer.CountsLost, 4)
            ),
            FreshnessMilliseconds = new Quantiles(
                Math.Round(status.Published!.Freshness.Quantile(0.5)),
                Math.Round(status.Published.Freshness.Quantile(0.99))
            ),
            Redis = new StoreSize(store.CountItems(1, model.Dimension), await store.UsedBytesAsync().ConfigureAwait(false) - bytesBefore),
            Training = new TrainingTotals(
                trainer.Counters.Steps,
                trainer.Counters.EventsReplayed,
                trainer.Loss,
                trainer.Items,
                trainer.BankCount,
                model.BankCapacity,
                status.Published.Written
            ),
            Examples = await ExamplesAsync(pipeline.Trainer, lookups).ConfigureAwait(false),
        };
    }

    /// <summary>Formats the report as text.</summary>
    public static string Describe(DemoReport report)
    {
        var text = new StringBuilder();
        EventTotals events = report.Events;
        text.AppendLine()
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"events     produced {events.Produced} = trained {events.Trained} + history only {events.HistoryOnly} + dead letters "
                    + $"{events.DeadLettered} + duplicates {events.Duplicates}"
            );
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"speed      {report.EventsPerSecond:0} events/s over {report.Seconds:0.0} s, {report.Training.Steps} steps, "
                + $"{report.Training.Replayed} examples replayed"
        );
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"freshness  p50 {report.FreshnessMilliseconds.P50:0} ms, p99 {report.FreshnessMilliseconds.P99:0} ms from the event's "
                + $"production to its item in Redis"
        );
        text.AppendLine(
                CultureInfo.InvariantCulture,
                $"redis      {report.Redis.Items} items, {report.Redis.Bytes / 1e6:0.0} MB with keys, fences and change feeds"
            )
            .AppendLine();
        text.AppendLine("prequential, whole catalogue          recall@20   ndcg@20   new items   repeats  first day  new users");
        foreach (WidthQuality width in report.Widths)
        {
            Row($"width {width.Width}", width);
        }

        if (report.Counts is { } counts)
        {
            Row("counts", counts);
        }

        foreach (WidthQuality fused in report.Fused)
        {
            Row($"counts and width {fused.Width}", fused);
        }

        foreach ((string name, Quality quality) in report.Baselines.All())
        {
            Row(name == report.Baselines.Strongest ? name + " (strongest)" : name, quality);
        }

        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"scoring took {100 * report.Cost.Share:0} % of the time; item counts use {report.Cost.CountBytes / 1e6:0.0} MB and keep "
                + $"{100 * (1 - report.Cost.CountsLost):0.0} % of the counted weight"
        );
        foreach (NeighbourExample example in report.Examples)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"near {Name(example.Item, example.Title)}");
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"  at width {example.SmallestWidth, 4}: "
                    + $"{string.Join("; ", example.AtSmallest.Select(near => Name(near.Item, near.Title)))}"
            );
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"  at width {example.LargestWidth, 4}: {string.Join("; ", example.AtLargest.Select(near => Name(near.Item, near.Title)))}"
            );
        }

        return text.ToString();

        void Row(string name, Quality quality) =>
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"  {name, -32}    {quality.Recall20, 9:0.0000} {quality.Ndcg20, 9:0.0000}   {quality.NewItemsRecall20, 9:0.0000} "
                    + $"{quality.RepeatsRecall20, 9:0.0000}  {quality.FirstDayItemsRecall20, 9:0.0000}  "
                    + $"{quality.NewUsersRecall20, 9:0.0000}"
            );
    }

    private static string Name(string item, string? title) =>
        title is null ? item
        : title.Length <= 40 ? title
        : title[..39] + "…";

    private static Baselines Simple(Trainer trainer) =>
        new(Quality(0, trainer.Baseline, 0))
        {
            ItemKnn = Source(trainer, "item-knn", 0),
            Markov = Source(trainer, "markov", 0),
            KnnAndMarkov = Source(trainer, "knn+markov", 0),
            OwnLatest = Source(trainer, "own-latest", 0),
        };

    private static WidthQuality? Source(Trainer trainer, string name, int width) =>
        trainer.Sources is { } sources ? Quality(width, sources, trainer.SourceNames.ToList().IndexOf(name)) : null;

    private static WidthQuality Quality(int width, PrequentialEvaluator evaluator, int k)
    {
        int cutoff = evaluator.Options.Cutoffs.MinBy(static cutoff => Math.Abs(cutoff - 20));
        RankingMetrics all = evaluator.Total(k, EvaluationSegment.All);
        RankingMetrics fresh = evaluator.Total(k, EvaluationSegment.NewItems);
        return new WidthQuality(
            width,
            Round(all.Recall(cutoff)),
            Round(all.Ndcg(cutoff)),
            Round(fresh.Recall(cutoff)),
            Round(fresh.Ndcg(cutoff)),
            Round(evaluator.Total(k, EvaluationSegment.Repeats).Recall(cutoff)),
            Round(evaluator.Total(k, EvaluationSegment.NewItemsOfKnownUsers).Recall(cutoff)),
            Round(evaluator.Total(k, EvaluationSegment.NewUsers).Recall(cutoff)),
            Round(evaluator.Total(k, EvaluationSegment.ItemsInFirstDay).Recall(cutoff)),
            all.Count
        );
    }

    private static double Round(double value) => Math.Round(value, 5);

    /// <summary>
    /// Nearest neighbours, as the serving tier sees them, of the most popular item with a title and of two less popular ones.
    /// </summary>
    private static async Task<IReadOnlyList<NeighbourExample>> ExamplesAsync(Trainer trainer, Lookups lookups)
    {
        string[] items = [.. MostFrequent(trainer, 64)];
        var examples = new List<NeighbourExample>(Examples);
        for (int i = 0; i < items.Length && examples.Count < Examples; i += Math.Max(items.Length / Examples, 1))
        {
            int smallest = trainer.Model.Widths[0];
            int largest = trainer.Model.Widths[^1];
            if (
                await NearestAsync(lookups, items[i], smallest).ConfigureAwait(false) is { } small
                && await NearestAsync(lookups, items[i], largest).ConfigureAwait(false) is { } large
            )
            {
                examples.Add(new NeighbourExample(items[i], lookups.TitleOf(items[i]), smallest, small, largest, large));
            }
        }

        return examples;
    }

    /// <summary>By the vectors alone: the examples show what the widths of a vector know.</summary>
    private static async Task<IReadOnlyList<NearItem>?> NearestAsync(Lookups lookups, string item, int width)
    {
        var query = new ItemQuery
        {
            Width = width,
            Count = Neighbours,
            Counts = false,
        };
        ServedItems served = lookups.Take();
        (SimilarItems? found, _) = await lookups.NeighboursAsync(served, item, query, CancellationToken.None).ConfigureAwait(false);
        return found is null ? null : [.. found.Items.Select(near => lookups.Near(served.View, near.Id, near.Score))];
    }

    private static IEnumerable<string> MostFrequent(Trainer trainer, int count)
    {
        var rows = new List<(double Probability, string Id)>();
        foreach (int row in trainer.Items.Rows)
        {
            rows.Add((trainer.Frequency.LogProbability(trainer.Items.KeyOf(row)), trainer.Items.IdOf(row)));
        }

        return rows.OrderByDescending(row => row.Probability)
            .ThenBy(row => row.Id, StringComparer.Ordinal)
            .Take(count)
            .Select(row => row.Id);
    }
}
