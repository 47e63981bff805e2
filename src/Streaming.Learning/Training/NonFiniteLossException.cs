namespace Streaming.Learning.Training;

/// <summary>
/// Several consecutive steps had a loss or gradient that was not finite. None was applied, but the model cannot recover by
/// itself: restore the last checkpoint, and if that does not help, stop.
/// </summary>
public sealed class NonFiniteLossException : Exception
{
    /// <summary>Creates the exception for a stream.</summary>
    /// <param name="steps">Number of consecutive steps.</param>
    /// <param name="step">Number of the last one.</param>
    /// <param name="loss">Its loss.</param>
    public NonFiniteLossException(int steps, long step, double loss)
        : this(
            FormattableString.Invariant($"{steps} consecutive steps had a loss or gradient that is not finite (step {step}: loss {loss}). ")
                + "None was applied. Restore the last checkpoint; if it happens again, lower LearningRate.Peak and check the feature "
                + "records.",
            steps
        ) { }

    /// <summary>Creates an exception with a given message.</summary>
    /// <param name="message">What happened, and what may help.</param>
    /// <param name="steps">Number of consecutive steps.</param>
    public NonFiniteLossException(string message, int steps)
        : base(message) => Steps = steps;

    /// <summary>Gets the number of consecutive steps.</summary>
    public int Steps { get; }
}
