using Streaming.Learning.Torch.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Modules;

/// <summary>Gated feed-forward layer without expansion: down(SiLU(gate x) ⊙ dropout(up x)), all three nested.</summary>
internal sealed class GatedFfnModule : nn.Module<Tensor, Tensor>
{
    private readonly NestedLinearModule _gate;
    private readonly NestedLinearModule _up;
    private readonly NestedLinearModule _down;
    private readonly DropoutSource _dropout;

    public GatedFfnModule(DenseParameters dense, string name, DropoutSource dropout)
        : base(nameof(GatedFfnModule))
    {
        _gate = new NestedLinearModule(dense, $"{name}.gate");
        _up = new NestedLinearModule(dense, $"{name}.up");
        _down = new NestedLinearModule(dense, $"{name}.down");
        _dropout = dropout;
        register_module("gate", _gate);
        register_module("up", _up);
        register_module("down", _down);
    }

    /// <summary>[rows × D] → [rows × D].</summary>
    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor gate = nn.functional.silu(_gate.forward(input));
        return _down.forward(gate.mul(_dropout.Apply(_up.forward(input)))).MoveToOuterDisposeScope();
    }
}
