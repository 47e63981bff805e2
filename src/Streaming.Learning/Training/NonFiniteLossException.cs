namespace Streaming.Learning.Training;

/// <summary>
/// Several steps in a row had a loss or gradient that was not finite. None was applied, but the model does not get out of
/// it by itself: restore the last checkpoint, and if that does not help, stop.
/// </summary>
public sealed class NonFiniteLossException : Exception
{
    /// <summary>Creates the exception of a stream.</summary>
    /// <param name="steps">Steps in a row.</param>
    /// <param name="step">Number of the last one.</param>
    /// <param name="loss">Its loss.</param>
    public NonFiniteLossException(int steps, long step, double loss)
        : this(
            FormattableString.Invariant($"{steps} steps in a row had a loss or gradient that is not finite (step {step}: loss {loss}). ") +
            "None was applied. Restore the last checkpoint; if it happens again, lower LearningRate.Peak and look at the feature records.",
            steps)
    {
    }

    /// <summary>Creates an exception with words of its own.</summary>
    /// <param name="message">What happened, and what may help.</param>
    /// <param name="steps">Steps in a row.</param>
    public NonFiniteLossException(string message, int steps)
        : base(message) => Steps = steps;

    /// <summary>Gets the number of steps in a row.</summary>
    public int Steps { get; }
}
