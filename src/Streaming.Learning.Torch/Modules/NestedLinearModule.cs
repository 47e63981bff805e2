using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>
/// Nested linear map: slice k maps inputs [0, in_k) to the outputs of increment k, with bias. Only the blocks that exist
/// are stored and multiplied.
/// </summary>
internal sealed class NestedLinearModule : nn.Module<Tensor, Tensor>
{
    private readonly Increments _inputs;
    private readonly Increments _outputs;
    private readonly DeviceParameter[] _weights;
    private readonly DeviceParameter? _bias;

    public NestedLinearModule(DenseParameters dense, string name, Increments inputs, Increments outputs, bool bias = true)
        : base(nameof(NestedLinearModule))
    {
        _inputs = inputs;
        _outputs = outputs;
        _weights = new DeviceParameter[inputs.Count];
        for (int k = 0; k < _weights.Length; k++)
        {
            _weights[k] = dense[$"{name}.weight.{k}"];
            register_parameter($"weight_{k}", _weights[k]);
        }

        _bias = bias ? dense[$"{name}.bias"] : null;
        if (_bias is not null)
        {
            register_parameter("bias", _bias);
        }
    }

    /// <summary>[rows × in] → [rows × out].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return cat(Slices(input), 1).MoveToOuterDisposeScope();
    }

    /// <summary>[rows × in] → the outputs of each increment, in the caller's dispose scope.</summary>
    public Tensor[] Slices(Tensor input)
    {
        Shapes.Require(input, "input of a nested linear", input.shape[0], _inputs.Dimension);
        var slices = new Tensor[_weights.Length];
        for (int k = 0; k < slices.Length; k++)
        {
            var prefix = input.narrow(1, 0, _inputs.End(k));
            slices[k] = _bias is null
                ? prefix.mm(_weights[k])
                : addmm(_bias.narrow(0, _outputs.Start(k), _outputs.Length(k)), prefix, _weights[k], 1, 1);
        }

        return slices;
    }
}
