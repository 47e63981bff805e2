using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>
/// State shared by the optimisers of a step, all on the device: whether the step applies, the gradient scale, and the number of the
/// update. An update can thus be queued before the host has read whether the loss was finite.
/// </summary>
/// <param name="Applies">Bool scalar: loss and gradients are finite. If false nothing changes.</param>
/// <param name="Scale">Float32 scalar: 1, or the factor that clips the global norm.</param>
/// <param name="Update">Float64 scalar: number of this update, from 1.</param>
internal sealed record UpdateGate(Tensor Applies, Tensor Scale, Tensor Update)
{
    /// <summary>Scaled gradients, or zeros in a step that does not apply (0 · ∞ would be NaN).</summary>
    public Tensor Clean(Tensor gradients) => where(Applies, gradients.mul(Scale), zeros_like(gradients));

    /// <summary>Adam's 1 − βᵗ, a float32 scalar.</summary>
    public Tensor Correction(double beta)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor power = beta > 0 ? Update.mul(Math.Log(beta)).expm1().neg() : ones_like(Update);
        return power.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Writes new values if the step applies.</summary>
    public void Write(Tensor target, Tensor values) => target.copy_(where(Applies, values, target));
}
