using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>A LayerNorm of its own for each increment, so that later columns cannot move earlier ones.</summary>
internal sealed class IncrementNormModule : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-5;
    private readonly Increments _increments;
    private readonly DeviceParameter _gain;
    private readonly DeviceParameter _bias;

    public IncrementNormModule(DenseParameters dense, string name, Increments increments)
        : base(nameof(IncrementNormModule))
    {
        _increments = increments;
        _gain = dense[$"{name}.gain"];
        _bias = dense[$"{name}.bias"];
        register_parameter("gain", _gain);
        register_parameter("bias", _bias);
    }

    /// <summary>[rows × D] → [rows × D].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Shapes.Require(input, "input of a norm", input.shape[0], _increments.Dimension);
        var parts = new Tensor[_increments.Count];
        for (int k = 0; k < parts.Length; k++)
        {
            int start = _increments.Start(k), length = _increments.Length(k);
            parts[k] = nn.functional.layer_norm(input.narrow(1, start, length), [length], _gain.narrow(0, start, length), _bias.narrow(0, start, length), Epsilon);
        }

        return cat(parts, 1).MoveToOuterDisposeScope();
    }
}
