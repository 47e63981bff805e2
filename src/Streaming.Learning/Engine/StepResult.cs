namespace Streaming.Learning.Engine;

/// <summary>The outcome of a step.</summary>
/// <param name="IsApplied">False when the loss or a gradient was not finite: nothing was changed.</param>
/// <param name="Loss">Total loss, Σ c_k L_k / Σ c_k.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="Losses">Loss of each width [K]; valid until the next step.</param>
/// <param name="Candidates">Number of candidates that each row was scored against, N.</param>
public readonly record struct StepResult(bool IsApplied, double Loss, double GradientNorm, ReadOnlyMemory<double> Losses, int Candidates);
