namespace Streaming.Learning;

/// <summary>
/// Several steps in a row had a loss or gradient that was not finite. None was applied, but the model does not get out of
/// it by itself: restore the last checkpoint, and if that does not help, stop.
/// </summary>
/// <param name="steps">Steps in a row.</param>
/// <param name="step">Number of the last one.</param>
/// <param name="loss">Its loss.</param>
public sealed class NonFiniteLossException(int steps, long step, double loss) : Exception(
    FormattableString.Invariant($"{steps} steps in a row had a loss or gradient that is not finite (step {step}: loss {loss}). ") +
    "None was applied. Restore the last checkpoint; if it happens again, lower LearningRate.Peak and look at the feature records.")
{
    /// <summary>Gets the number of steps in a row.</summary>
    public int Steps { get; } = steps;
}
