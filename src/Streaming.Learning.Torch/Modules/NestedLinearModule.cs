using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.State;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// Nested linear map with bias: inputs [0, in_k) reach the outputs of increment k. One product with the whole matrix, whose other
/// blocks are zero (see <see cref="DenseParameters"/>).
/// </summary>
internal sealed class NestedLinearModule : nn.Module<Tensor, Tensor>
{
    private readonly long _inputs;

    public NestedLinearModule(DenseParameters dense, string name, bool bias = true)
        : base(nameof(NestedLinearModule))
    {
        Weight = dense[$"{name}.weight"];
        register_parameter("weight", Weight);
        _inputs = Weight.shape[0];
        if (bias)
        {
            Bias = dense[$"{name}.bias"];
            register_parameter("bias", Bias);
        }
    }

    /// <summary>Gets the matrix [in × out].</summary>
    public DeviceParameter Weight { get; }

    /// <summary>Gets the bias [out], or null.</summary>
    public DeviceParameter? Bias { get; }

    /// <summary>[rows × in] → [rows × out].</summary>
    public override Tensor forward(Tensor input)
    {
        Shapes.Require(input, "input of a nested linear", input.shape[0], _inputs);
        return Bias is null ? input.mm(Weight) : addmm(Bias, input, Weight, 1, 1);
    }
}
