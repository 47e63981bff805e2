using System.Globalization;
using Spectre.Console;

namespace Streaming.Lab.Demo;

/// <summary>A display that updates in place on a terminal.</summary>
internal sealed class LiveView(IAnsiConsole console, TimeProvider time) : DemoView
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public override Task RunAsync(Func<DemoSnapshot> read, TimeSpan interval, CancellationToken end) =>
        console
            .Live(Draw(read()))
            .StartAsync(async live =>
            {
                while (!end.IsCancellationRequested)
                {
                    await Task.Delay(Refresh, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    live.UpdateTarget(Draw(read()));
                }
            });

    private static Rows Draw(DemoSnapshot snapshot) => new(Totals(snapshot), Widths(snapshot));

    private static Table Totals(DemoSnapshot snapshot)
    {
        Learning.Training.TrainerStatus trainer = snapshot.Trainer;
        Table table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "", "", "");
        table.AddRow(
            "events",
            Number(snapshot.Status.Counts.Read) + (snapshot.Expected is { } expected ? " of " + Number(expected) : string.Empty),
            "rate",
            Number(snapshot.EventsPerSecond) + "/s"
        );
        table.AddRow("elapsed", snapshot.Elapsed.ToString(@"mm\:ss", CultureInfo.InvariantCulture), "lag", Number(snapshot.Lag));
        table.AddRow("items", Number(trainer.Items), "steps", Number(trainer.Counters.Steps));
        table.AddRow(
            "bank",
            $"{Number(trainer.BankEntries)} used of {Number(trainer.BankCount)}",
            "drift",
            trainer.Drift.Count > 0 && !double.IsNaN(trainer.Drift[^1])
                ? trainer.Drift[^1].ToString("0.000", CultureInfo.InvariantCulture)
                : "–"
        );
        table.AddRow("fresh p50", $"{snapshot.Freshness(0.5):0} ms", "fresh p99", $"{snapshot.Freshness(0.99):0} ms");
        return table;
    }

    private static Table Widths(DemoSnapshot snapshot)
    {
        Learning.Training.TrainerStatus trainer = snapshot.Trainer;
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("width", "loss", "recall@20", "ndcg@20", "new items", "repeats");
        for (int k = 0; k < trainer.Recall.Count; k++)
        {
            Learning.Training.SegmentRecall recall = trainer.Recall[k];
            table.AddRow(
                Number(trainer.Widths[k]),
                k < trainer.Losses.Count ? trainer.Losses[k].ToString("0.000", CultureInfo.InvariantCulture) : "–",
                Share(recall.Recall),
                Share(recall.Ndcg),
                Share(recall.NewItems),
                Share(recall.Repeats)
            );
        }

        Learning.Training.SegmentRecall popularity = trainer.Popularity;
        return table.AddRow(
            "[grey]popularity[/]",
            string.Empty,
            Share(popularity.Recall),
            Share(popularity.Ndcg),
            Share(popularity.NewItems),
            Share(popularity.Repeats)
        );
    }

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Share(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
