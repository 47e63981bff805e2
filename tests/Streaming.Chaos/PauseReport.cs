namespace Streaming.Chaos;

/// <summary>What a checkpoint costs training.</summary>
/// <param name="Items">Items of the model.</param>
/// <param name="Width">Their width.</param>
/// <param name="Bytes">Size of a checkpoint.</param>
/// <param name="WriteSeconds">Time of writing, in the background, the longest.</param>
/// <param name="PauseMilliseconds">Time for which training stood still to begin the snapshot: the first (which takes memory) and the longest of the others.</param>
/// <param name="StepMilliseconds">Time of a step while nothing is written.</param>
/// <param name="StepWhileWritingMilliseconds">Time of a step while a checkpoint is written.</param>
internal sealed record PauseReport(
    int Items, int Width, long Bytes, double WriteSeconds, Pause PauseMilliseconds, StepTimes StepMilliseconds, StepTimes StepWhileWritingMilliseconds);

/// <summary>Pauses, milliseconds.</summary>
internal sealed record Pause(double First, double Later);

/// <summary>Quantiles, milliseconds.</summary>
internal sealed record StepTimes(double P50, double P99, double Max)
{
    public static StepTimes Of(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? new StepTimes(0, 0, 0) : new StepTimes(sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], sorted[^1]);
    }
}
