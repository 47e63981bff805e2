using Streaming.Kernels.Elementwise;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>Gated feed-forward layer without expansion [fMRLRec]: W_2(SiLU(W_g x) ⊙ dropout(W_1 x)), all three nested.</summary>
internal sealed class GatedFfn(ParameterSet set, string name, Increments widths, Dropout dropout)
{
    private readonly NestedLinear _gate = new(set, $"{name}.gate", widths, widths);
    private readonly NestedLinear _up = new(set, $"{name}.up", widths, widths);
    private readonly NestedLinear _down = new(set, $"{name}.down", widths, widths);
    private readonly int _d = widths.Dimension;

    public void Initialize(ulong seed, double scale)
    {
        _gate.Initialize(seed, scale);
        _up.Initialize(seed, scale);
        _down.Initialize(seed, scale);
    }

    /// <summary>Packs the weights; call once per step, before any chunk.</summary>
    public void Prepare()
    {
        _gate.Prepare();
        _up.Prepare();
        _down.Prepare();
    }

    /// <summary>y = FFN(x), x and y [rows × D]; gate, up and product [rows × D] are kept for the backward pass.</summary>
    public void Forward(
        ReadOnlySpan<float> x,
        Span<float> gate,
        Span<float> up,
        Span<float> product,
        Span<float> y,
        int rows,
        int firstRow,
        long step
    )
    {
        _gate.Forward(x, gate, rows);
        _up.Forward(x, up, rows);
        dropout.Apply(up, firstRow, step);
        SiluGate.Forward(gate, up, product);
        _down.Forward(product, y, rows);
    }

    /// <summary>Overwrites dx, gate, up and product, all [rows × D]; dy [rows × D].</summary>
    public void Backward(
        ReadOnlySpan<float> x,
        Span<float> gate,
        Span<float> up,
        Span<float> product,
        ReadOnlySpan<float> dy,
        Span<float> dx,
        int rows,
        int firstRow,
        long step,
        Lane lane
    )
    {
        Span<float> inner = lane.Rent(rows * _d);
        _down.Backward(product, dy, inner, rows, lane);
        SiluGate.Backward(inner, gate, up, gate, up);
        dropout.Apply(up, firstRow, step);
        _gate.Backward(x, gate, dx, rows, lane);
        _up.Backward(x, up, dx, rows, lane, add: true);
    }
}
