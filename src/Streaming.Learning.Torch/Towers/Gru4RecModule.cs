using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>One nested GRU over the history; the user vector is its state.</summary>
/// <remarks>
/// z = σ(W_z x + U_z h), r = σ(W_r x + U_r h), n = tanh(W_n x + r ⊙ (U_n h)), h ← n + z ⊙ (h − n). Of each increment, gates hold
/// first z, then r, then n. The recurrence is not linear, so the steps follow each other.
/// </remarks>
internal sealed class Gru4RecModule : TowerModule
{
    private const int Gates = 3;
    private readonly Increments _widths;
    private readonly NestedLinearModule _input;
    private readonly NestedLinearModule _hidden;

    public Gru4RecModule(DenseParameters dense, Increments widths, DropoutSource dropout)
        : base(dense, dropout, nameof(Gru4RecModule))
    {
        _widths = widths;
        _input = new NestedLinearModule(dense, "tower.gru.input", widths, widths.Scale(Gates));
        _hidden = new NestedLinearModule(dense, "tower.gru.hidden", widths, widths.Scale(Gates));
        register_module("input", _input);
        register_module("hidden", _hidden);
    }

    protected override Tensor Encode(TowerInput input)
    {
        int width = _widths.Dimension;
        var driven = Split(_input.Slices(input.Items)).Select(gate => gate.view(-1, input.Steps, width).unbind(1)).ToArray();
        var state = zeros_like(driven[0][0]);
        var states = new Tensor[input.Steps];
        for (int t = 0; t < states.Length; t++)
        {
            states[t] = state = Advance(driven, state, t);
        }

        return stack(states, 1).view(-1, width).index_select(0, input.Predictions);
    }

    private Tensor Advance(Tensor[][] driven, Tensor state, int step)
    {
        using var scope = NewDisposeScope();
        var recurrent = Split(_hidden.Slices(state));
        var keep = driven[0][step].add(recurrent[0]).sigmoid();
        var reset = driven[1][step].add(recurrent[1]).sigmoid();
        var fresh = driven[2][step].add(reset.mul(recurrent[2])).tanh();
        return fresh.add(keep.mul(state.sub(fresh))).MoveToOuterDisposeScope();
    }

    // The slices of all increments → one [rows × D] for each gate.
    private Tensor[] Split(Tensor[] slices)
    {
        var gates = new Tensor[Gates];
        for (int gate = 0; gate < Gates; gate++)
        {
            gates[gate] = cat([.. slices.Select((slice, k) => slice.narrow(1, gate * _widths.Length(k), _widths.Length(k)))], 1);
        }

        return gates;
    }
}
