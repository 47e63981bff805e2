using Streaming.Learning.Torch.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>A nested linear map. Its bias is added by the kernel that reads the product.</summary>
internal sealed class FusedLinear(DenseParameters dense, string name) : IDisposable
{
    private readonly FusedParameter _weight = new(dense, $"{name}.weight");

    /// <summary>Gets the bias.</summary>
    public FusedParameter Bias { get; } = new(dense, $"{name}.bias");

    /// <summary>[rows × in] → [rows × out], without the bias.</summary>
    public Tensor Forward(Tensor input) => input.mm(Weight(input.dtype));

    /// <summary>As <see cref="Forward(Tensor)"/>, into a tensor whose values are lost.</summary>
    public void Forward(Tensor input, Tensor output) => output.addmm_(input, Weight(input.dtype), 0);

    /// <summary>The gradient by the input [rows × in]; adds that of the weight.</summary>
    /// <param name="input">The input of the forward pass.</param>
    /// <param name="gradient">[rows × out].</param>
    /// <param name="onto">A tensor to add the result to, or null for a new one.</param>
    public Tensor Backward(Tensor input, Tensor gradient, Tensor? onto = null)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        if (input.dtype == ScalarType.Float32)
        {
            _weight.Gradient.addmm_(input.t(), gradient);
        }
        else
        {
            _weight.Gradient.add_(input.t().mm(gradient));
        }

        Tensor transposed = Weight(input.dtype).t();
        return onto is null ? gradient.mm(transposed).MoveToOuterDisposeScope() : onto.addmm_(gradient, transposed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weight.Dispose();
        Bias.Dispose();
    }

    // Products of bfloat16 are exact in float32, in which they are added.
    private Tensor Weight(ScalarType type) => type == ScalarType.Float32 ? _weight.Value : _weight.Value.to_type(type);
}
