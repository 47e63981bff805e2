using Streaming.Learning.Training;
using Streaming.Worker.Metrics;
using Streaming.Worker.Serve;

namespace Streaming.Worker.Page;

/// <summary>The figures of this moment, as the page shows them.</summary>
internal static class StatusAnswer
{
    /// <summary>Creates the answer.</summary>
    public static object Of(PageSource source)
    {
        PipelineStatus? status = source.Pipeline?.Invoke();
        return new
        {
            model = source.Model,
            trains = source.Pipeline is not null,
            pipeline = status is null || ReferenceEquals(status, PipelineStatus.Empty) ? null : Figures(status),
            index = source.Served?.Active.Updater.Status(),
            widths = source.Served?.Active.Take().View.Widths,
            trial = source.Served is { Trial: { } trial } served ? Trial(trial, served.Share) : null,
        };
    }

    private static object Trial(Lookups trial, double share) =>
        new
        {
            generation = trial.Pinned,
            share,
            widths = trial.Take().View.Widths,
            items = trial.Take().View.Count,
            reason = trial.Look().Reason,
        };

    private static object Figures(PipelineStatus status) =>
        new
        {
            counts = status.Counts,
            lag = status.Source.Lag,
            deadLetters = status
                .Source.Rejected.Where(static rejected => rejected.Records > 0)
                .OrderByDescending(static rejected => rejected.Records)
                .Select(static rejected => new
                {
                    topic = rejected.Topic,
                    reason = rejected.Reason.ToString(),
                    records = rejected.Records,
                }),
            overloaded = status.Overloaded,
            waiting = status.Waiting,
            items = status.Trainer.Items,
            steps = status.Trainer.Counters.Steps,
            bank = new
            {
                used = status.Trainer.BankEntries,
                held = status.Trainer.BankCount,
                isOn = status.Trainer.BankIsOn,
            },
            drift = status.Trainer.Drift.Select(Finite),
            freshness = new { p50 = Freshness(status, 0.5), p99 = Freshness(status, 0.99) },
            widths = status.Trainer.Recall.Select((recall, k) => Width(status.Trainer, recall, k)),
            methods = status
                .Trainer.Sources.Select(static source => Method(source.Name, source.Recall))
                .Prepend(Method("recent popularity", status.Trainer.Popularity)),
        };

    private static object Width(TrainerStatus trainer, SegmentRecall recall, int k) =>
        new
        {
            width = trainer.Widths[k],
            loss = k < trainer.Losses.Count ? Finite(trainer.Losses[k]) : null,
            recall = recall.Recall,
            ndcg = recall.Ndcg,
            newItems = recall.NewItems,
            repeats = recall.Repeats,
            examples = recall.Examples,
        };

    private static object Method(string name, SegmentRecall recall) =>
        new
        {
            name,
            recall = recall.Recall,
            ndcg = recall.Ndcg,
            newItems = recall.NewItems,
            repeats = recall.Repeats,
            examples = recall.Examples,
        };

    // Nothing published lately: there is no freshness, not one of 0.
    private static double? Freshness(PipelineStatus status, double quantile) =>
        status.Published is { RecentFreshness: { Count: > 0 } recent } ? recent.Quantile(quantile) : null;

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
