using System.Globalization;

namespace Streaming.Lab.Demo;

/// <summary>Prints one line per interval, for logs and pipes.</summary>
internal sealed class LineView(TextWriter output, TimeProvider time) : DemoView
{
    /// <inheritdoc/>
    public override async Task RunAsync(Func<DemoSnapshot> read, TimeSpan interval, CancellationToken end)
    {
        ArgumentNullException.ThrowIfNull(read);
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(interval, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await output.WriteLineAsync(Format(read())).ConfigureAwait(false);
        }
    }

    /// <summary>Formats a snapshot as a line.</summary>
    internal static string Format(DemoSnapshot snapshot)
    {
        Learning.Training.TrainerStatus trainer = snapshot.Trainer;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{snapshot.Elapsed.TotalSeconds, 5:0} s  {snapshot.Status.Counts.Read, 8} events {snapshot.EventsPerSecond, 6:0}/s  lag "
                + $"{snapshot.Lag, 5}  loss {Join(trainer.Losses, "0.00")}  "
                + $"recall@20 {Join(trainer.Recall.Select(width => width.Recall), ".0000")} (popularity "
                + $"{Short(trainer.Popularity.Recall)})  "
                + $"bank {trainer.BankEntries}/{trainer.BankCount}  drift {Join(trainer.Drift, "0.000")}  fresh "
                + $"{snapshot.Freshness(0.5):0}/{snapshot.Freshness(0.99):0} ms  items {trainer.Items}"
        );
    }

    private static string Short(double value) => value.ToString(".0000", CultureInfo.InvariantCulture);

    private static string Join(IEnumerable<double> values, string format)
    {
        string text = string.Join(
            '/',
            values.Select(value => double.IsNaN(value) ? "–" : value.ToString(format, CultureInfo.InvariantCulture))
        );
        return text.Length == 0 ? "–" : text;
    }
}
