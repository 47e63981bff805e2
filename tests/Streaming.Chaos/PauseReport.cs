namespace Streaming.Chaos;

/// <summary>The cost of checkpoints for training.</summary>
/// <param name="Items">Items of the model.</param>
/// <param name="Width">Their width.</param>
/// <param name="Bytes">Size of a checkpoint.</param>
/// <param name="WriteSeconds">The longest time of writing in the background.</param>
/// <param name="Users">Users with a history, and event ids in the dedup window.</param>
/// <param name="TrainerPauseMilliseconds">How long training paused to start the snapshot.</param>
/// <param name="IngestPauseMilliseconds">How long reading paused to share histories and dedup window.</param>
/// <param name="IngestMilliseconds">Time to ingest the events of a batch while nothing is written.</param>
/// <param name="IngestWhileWritingMilliseconds">The same while a checkpoint is written.</param>
/// <param name="CollectorPauseMilliseconds">Total pause time of garbage collections while checkpoints were written.</param>
/// <param name="StepMilliseconds">Time of a step while nothing is written.</param>
/// <param name="StepWhileWritingMilliseconds">Time of a step while a checkpoint is written.</param>
internal sealed record PauseReport(
    int Items,
    int Width,
    int Users,
    long Bytes,
    double WriteSeconds,
    Pause TrainerPauseMilliseconds,
    Pause IngestPauseMilliseconds,
    StepTimes StepMilliseconds,
    StepTimes StepWhileWritingMilliseconds,
    StepTimes IngestMilliseconds,
    StepTimes IngestWhileWritingMilliseconds,
    double CollectorPauseMilliseconds
);

/// <summary>Pauses in milliseconds: the first, which allocates memory, and the longest of the others.</summary>
internal sealed record Pause(double First, double Later)
{
    public static Pause Of(List<double> values) => new(values[0], values.Skip(1).Max());
}

/// <summary>Quantiles, milliseconds.</summary>
internal sealed record StepTimes(double P50, double P99, double Max)
{
    public static StepTimes Of(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0
            ? new StepTimes(0, 0, 0)
            : new StepTimes(sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], sorted[^1]);
    }
}
