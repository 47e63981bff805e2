using Streaming.Learning.Torch.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>A dense parameter and its gradient, which explicit backward passes add to.</summary>
internal sealed class FusedParameter : IDisposable
{
    /// <summary>Takes a parameter by name.</summary>
    public FusedParameter(DenseParameters dense, string name)
    {
        Value = dense[name];
        Gradient = dense[name].grad!.DetachFromDisposeScope();
    }

    /// <summary>Gets the value.</summary>
    public Tensor Value { get; }

    /// <summary>Gets the gradient of the step.</summary>
    public Tensor Gradient { get; }

    /// <inheritdoc/>
    public void Dispose() => Gradient.Dispose();
}
