using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>A LayerNorm of its own for each increment, so that later columns cannot move earlier ones.</summary>
internal sealed class IncrementNormModule : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-5;
    private readonly Increments _increments;
    private readonly long[] _lengths;
    private readonly DeviceParameter _gain;
    private readonly DeviceParameter _bias;

    public IncrementNormModule(DenseParameters dense, string name, Increments increments)
        : base(nameof(IncrementNormModule))
    {
        _increments = increments;
        _lengths = [.. Enumerable.Range(0, increments.Count).Select(k => (long)increments.Length(k))];
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

        // Splits, not slices: the gradient of a split is one concatenation, of a slice a tensor of zeros each.
        Tensor[] inputs = input.split(_lengths, 1), gains = _gain.split(_lengths, 0), biases = _bias.split(_lengths, 0);
        var parts = new Tensor[_lengths.Length];
        for (int k = 0; k < parts.Length; k++)
        {
            parts[k] = nn.functional.layer_norm(inputs[k], [_lengths[k]], gains[k], biases[k], Epsilon);
        }

        return cat(parts, 1).MoveToOuterDisposeScope();
    }
}
