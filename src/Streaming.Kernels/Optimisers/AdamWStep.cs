namespace Streaming.Kernels.Optimisers;

/// <summary>Constants of one AdamW step [Loshchilov and Hutter 2019].</summary>
/// <remarks>
/// g' = GradientScale · g; m ← β₁m + (1 − β₁)g'; v ← β₂v + (1 − β₂)g'²;
/// p ← p − LearningRate · WeightDecay · p − LearningRate · (m / Correction1) / (√(v / Correction2) + Epsilon).
/// </remarks>
public readonly record struct AdamWStep
{
    /// <summary>Gets the learning rate, 0 or above.</summary>
    public required float LearningRate { get; init; }

    /// <summary>Gets β₁. Default 0.9.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Gets β₂. Default 0.999.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>Gets ε. Default 1e-8.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>Gets the decoupled weight decay. Default 0.</summary>
    public float WeightDecay { get; init; }

    /// <summary>Gets the factor applied to gradients: 1, or less when the global norm is clipped. Default 1.</summary>
    public float GradientScale { get; init; } = 1f;

    /// <summary>Gets the bias correction 1 − β₁ᵗ.</summary>
    public float Correction1 { get; init; } = 1f;

    /// <summary>Gets the bias correction 1 − β₂ᵗ.</summary>
    public float Correction2 { get; init; } = 1f;

    /// <summary>Creates the defaults.</summary>
    public AdamWStep() { }

    /// <summary>Returns a copy with the bias corrections of step <paramref name="step"/>.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    public AdamWStep At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return this with { Correction1 = (float)(1 - Math.Pow(Beta1, step)), Correction2 = (float)(1 - Math.Pow(Beta2, step)) };
    }
}
