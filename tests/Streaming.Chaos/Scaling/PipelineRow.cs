using System.Globalization;
using Streaming.Worker.Metrics;

namespace Streaming.Chaos.Scaling;

/// <summary>Where the time of a batch goes: a row of milliseconds by part of the training thread, and the share of the engine.</summary>
/// <param name="items">Size of the catalogue.</param>
/// <param name="processor">Seconds of processor time of the worker.</param>
/// <param name="from">The worker's metrics at the begin.</param>
/// <param name="to">The worker's metrics at the end.</param>
internal sealed class PipelineRow(
    int items,
    double processor,
    IReadOnlyDictionary<string, double> from,
    IReadOnlyDictionary<string, double> to
)
{
    private static readonly TrainerPart[] Parts = Enum.GetValues<TrainerPart>();

    public static string Header =>
        "| items | events/s | replayed/s | events of a batch | ms of a batch | processor s per 1,000 events | "
        + $"{string.Join(" | ", Parts.Select(static part => Name(part)))} | engine busy |\n"
        + $"|{string.Concat(Enumerable.Repeat("---:|", 7 + Parts.Length))}";

    public override string ToString()
    {
        double batches = Rise("streaming_step_duration_seconds_count");
        double events = Rise("streaming_examples_total{origin=\"new\"}");

        // Without replay there is no such figure.
        const string Replayed = "streaming_examples_total{origin=\"replayed\"}";
        double replayed = to.GetValueOrDefault(Replayed) - from.GetValueOrDefault(Replayed);
        double all = Parts.Sum(Seconds);
        string parts = string.Join(" | ", Parts.Select(part => Text(1e3 * Seconds(part) / batches, "0.0")));
        return $"| {items} | {Text(events / all, "0")} | {Text(replayed / all, "0")} | "
            + $"{Text(events / batches, "0")} | {Text(1e3 * all / batches, "0.0")} | "
            + $"{Text(1e3 * processor / events, "0.00")} | {parts} | {Text(Seconds(TrainerPart.Step) / all, "P0")} |";
    }

    private double Seconds(TrainerPart part) => Rise($"streaming_trainer_time_seconds_total{{part=\"{Name(part)}\"}}");

    private double Rise(string metric) =>
        to.TryGetValue(metric, out double end)
            ? end - from.GetValueOrDefault(metric)
            : throw new InvalidOperationException($"The worker told no {metric}; it may be older than this program.");

    private static string Name(TrainerPart part) => part.ToString().ToLowerInvariant();

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
