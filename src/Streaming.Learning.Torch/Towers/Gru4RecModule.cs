using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>One nested GRU over the history; the user vector is its state.</summary>
/// <remarks>
/// z = σ(W_z x + U_z h), r = σ(W_r x + U_r h), n = tanh(W_n x + r ⊙ (U_n h)), h ← n + z ⊙ (h − n). For each increment, gates are
/// stored as z, then r, then n. The recurrence is not linear, so steps run sequentially.
/// </remarks>
internal sealed class Gru4RecModule : TowerModule
{
    private const int Gates = 3;
    private readonly int _width;
    private readonly NestedLinearModule _input;
    private readonly NestedLinearModule _hidden;
    private readonly Tensor _order;

    public Gru4RecModule(DenseParameters dense, Increments widths, DropoutSource dropout)
        : base(dense, dropout, nameof(Gru4RecModule))
    {
        _width = widths.Dimension;
        _input = new NestedLinearModule(dense, "tower.gru.input");
        _hidden = new NestedLinearModule(dense, "tower.gru.hidden");
        _order = Parts.Order(widths, Gates, _input.Weight.device);
        register_module("input", _input);
        register_module("hidden", _hidden);
        register_buffer("order", _order);
    }

    protected override Tensor Encode(TowerInput input)
    {
        Tensor[] driven = Gated(_input, input.Items).view(-1, input.Steps, Gates * _width).unbind(1);
        (Tensor? weight, Tensor? bias) = (_hidden.Weight.index_select(1, _order), _hidden.Bias!.index_select(0, _order));
        Tensor state = zeros(driven[0].shape[0], _width, dtype: ScalarType.Float32, device: weight.device);
        var states = new Tensor[input.Steps];
        for (int t = 0; t < states.Length; t++)
        {
            states[t] = state = Advance(driven[t], state, addmm(bias, state, weight, 1, 1));
        }

        return stack(states, 1).view(-1, _width).index_select(0, input.Predictions);
    }

    // [rows × 3D]: z, r, n of all increments.
    private Tensor Gated(NestedLinearModule map, Tensor rows) =>
        addmm(map.Bias!.index_select(0, _order), rows, map.Weight.index_select(1, _order), 1, 1);

    private Tensor Advance(Tensor driven, Tensor state, Tensor recurrent)
    {
        using DisposeScope scope = NewDisposeScope();
        long[] sizes = [2 * _width, _width];
        Tensor[] own = driven.split(sizes, 1),
            past = recurrent.split(sizes, 1);
        Tensor[] gates = own[0].add(past[0]).sigmoid().split([_width, _width], 1);
        Tensor fresh = own[1].add(gates[1].mul(past[1])).tanh();
        return fresh.add(gates[0].mul(state.sub(fresh))).MoveToOuterDisposeScope();
    }
}
