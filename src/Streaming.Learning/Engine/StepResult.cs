namespace Streaming.Learning.Engine;

/// <summary>The outcome of a step.</summary>
/// <param name="IsApplied">False when the loss or a gradient was not finite: nothing was changed.</param>
/// <param name="Loss">Total loss, Σ c_k L_k / Σ c_k.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="Losses">Loss of each width [K]; valid until the next step.</param>
/// <param name="Candidates">Number of candidates that each row was scored against, N.</param>
public readonly record struct StepResult(bool IsApplied, double Loss, double GradientNorm, ReadOnlyMemory<double> Losses, int Candidates)
{
    /// <summary>Gets a value indicating whether the outcome was read from the device. Otherwise the step counts as applied, the losses
    /// are those of the last step that was read, and a later step that is read says whether all since then were applied.</summary>
    public bool IsRead { get; init; } = true;

    /// <summary>Counts steps that were not applied.</summary>
    /// <param name="failed">Those in a row before this one.</param>
    /// <returns>Those in a row; a step that was not read neither adds to them nor ends them.</returns>
    public int FailedInARow(int failed) =>
        !IsRead ? failed
        : IsApplied ? 0
        : failed + 1;
}
