using Streaming.Learning.Torch.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>Gated feed-forward layer: down(SiLU(gate x) ⊙ dropout(up x)), without the bias of down.</summary>
internal sealed class FusedGate(FusedCalls calls, DenseParameters dense, string name, int site) : IDisposable
{
    private readonly FusedLinear _gate = new(dense, $"{name}.gate");
    private readonly FusedLinear _up = new(dense, $"{name}.up");
    private readonly FusedLinear _down = new(dense, $"{name}.down");
    private Tensor? _input;
    private Tensor? _pair;
    private Tensor? _hidden;

    /// <summary>Gets the bias of down.</summary>
    public FusedParameter Bias => _down.Bias;

    /// <summary>[rows × D] → [rows × D].</summary>
    public Tensor Forward(Tensor input)
    {
        long rows = input.shape[0],
            d = calls.Dimension;
        _input = input;
        _pair = calls.Empty(input.device, rows, 2 * d);
        _gate.Forward(input, _pair.narrow(1, 0, d));
        _up.Forward(input, _pair.narrow(1, d, d));
        _hidden = empty_like(input);
        calls
            .Of(calls.Kernels.GateForward)
            .With(_pair)
            .With(_gate.Bias.Value)
            .With(_up.Bias.Value)
            .With(calls.Dropout(site))
            .With((int)rows)
            .With(_hidden)
            .Launch((calls.Blocks(rows), 1), 256);
        return _down.Forward(_hidden);
    }

    /// <summary>The gradient by the input; adds those of the parameters.</summary>
    /// <param name="gradient">By the output.</param>
    /// <param name="onto">A tensor to add the result to, or null for a new one.</param>
    public Tensor Backward(Tensor gradient, Tensor? onto = null)
    {
        long rows = gradient.shape[0],
            d = calls.Dimension;
        int blocks = calls.Blocks(rows);
        using DisposeScope scope = NewDisposeScope();
        Tensor byHidden = _down.Backward(_hidden!, gradient);
        Tensor partial = FusedCalls.Partial(gradient.device, blocks, 2, d);
        calls
            .Of(calls.Kernels.GateBackward)
            .With(_pair)
            .With(_gate.Bias.Value)
            .With(_up.Bias.Value)
            .With(calls.Dropout(site))
            .With(byHidden)
            .With((int)rows)
            .With(partial)
            .Launch((blocks, 1), 256, calls.SharedBytes(2));
        calls.AddParts(partial, _gate.Bias.Gradient, _up.Bias.Gradient);
        Tensor byInput = _gate.Backward(_input!, _pair!.narrow(1, 0, d), onto);
        return _up.Backward(_input!, _pair.narrow(1, d, d), byInput).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gate.Dispose();
        _up.Dispose();
        _down.Dispose();
    }
}
