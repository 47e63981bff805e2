using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>
/// What the optimisers of a step share, all on the device: whether the step counts, what gradients are scaled by, and the
/// number of the update. So an update can be queued before anybody has read whether the loss was finite.
/// </summary>
/// <param name="Applies">Bool scalar: loss and gradients are finite. Where false nothing changes.</param>
/// <param name="Scale">Float32 scalar: 1, or what brings the global norm down to the clip.</param>
/// <param name="Update">Float64 scalar: number of this update, from 1.</param>
internal sealed record UpdateGate(Tensor Applies, Tensor Scale, Tensor Update)
{
    /// <summary>Gradients scaled, and zero in a step that does not count (0 · ∞ would not be).</summary>
    public Tensor Clean(Tensor gradients) => where(Applies, gradients.mul(Scale), zeros_like(gradients));

    /// <summary>Adam's 1 − βᵗ, a float32 scalar.</summary>
    public Tensor Correction(double beta)
    {
        using var scope = NewDisposeScope();
        var power = beta > 0 ? Update.mul(Math.Log(beta)).expm1().neg() : ones_like(Update);
        return power.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Writes new values where the step counts.</summary>
    public void Write(Tensor target, Tensor values) => target.copy_(where(Applies, values, target));
}
