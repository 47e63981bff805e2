using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.State;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>
/// The fmrlrec tower with an explicit backward pass: torch multiplies, kernels do all between the products. Parameters and results are
/// those of <see cref="Towers.FmrlRecModule"/>; dropout masks are drawn by Philox in the kernels, so none is stored.
/// </summary>
/// <remarks>Holds the activations of the last forward pass; one backward pass may follow it, in the same dispose scope.</remarks>
internal sealed class FusedFmrlRec : IDisposable
{
    // Dropout of the items has site 0, each block three of its own.
    private const int SitesPerBlock = 3;

    private readonly FusedCalls _calls;
    private readonly bool _isPreNorm;
    private readonly List<FusedNorm> _norms = [];
    private readonly FusedBlock[] _blocks;
    private readonly FusedJoin _start;
    private readonly FusedJoin? _first;
    private readonly FusedJoin? _last;
    private readonly FusedLinear? _output;
    private Tensor? _outputInput;

    public FusedFmrlRec(FusedCalls calls, DenseParameters dense, ModelOptions model)
    {
        _calls = calls;
        bool pre = _isPreNorm = model.Norm == NormPlacement.Before;
        FusedNorm? input = model.InputNorm ? Norm(dense, "tower.input_norm") : null,
            output = model.OutputNorm ? Norm(dense, "tower.output_norm") : null;
        FusedNorm[] mix = [.. Enumerable.Range(0, model.Layers).Select(i => Norm(dense, $"tower.block{i}.mix_norm"))],
            ffn = [.. Enumerable.Range(0, model.Layers).Select(i => Norm(dense, $"tower.block{i}.ffn_norm"))];

        // With pre-norm the first block's norm follows the dropout directly, or the input norm.
        _start = new FusedJoin(calls, 0, input ?? (pre ? mix[0] : null));
        _first = pre && input is not null ? new FusedJoin(calls, 0, mix[0]) : null;
        _blocks =
        [
            .. Enumerable
                .Range(0, model.Layers)
                .Select(i => new FusedBlock(
                    calls,
                    dense,
                    $"tower.block{i}",
                    1 + (SitesPerBlock * i),
                    pre,
                    pre ? ffn[i] : mix[i],
                    pre ? (i + 1 < model.Layers ? mix[i + 1] : output) : ffn[i]
                )),
        ];
        _last = pre || output is null ? null : new FusedJoin(calls, 0, output);
        _output = model.OutputLinear ? new FusedLinear(dense, "tower.output") : null;
    }

    /// <summary>User vectors at the predictions [B × D]. Call under <c>no_grad</c>.</summary>
    /// <param name="items">Where the vectors of the steps are.</param>
    /// <param name="rows">S·T.</param>
    /// <param name="steps">T.</param>
    /// <param name="predictions">[B] int64 rows of the steps.</param>
    public Tensor Forward(RowSource items, int rows, int steps, Tensor predictions)
    {
        (Tensor x, Tensor input) = _start.Forward(items, rows, predictions.device);
        if (!_isPreNorm)
        {
            x = input;
        }
        else if (_first is not null)
        {
            (x, input) = _first.Forward(input, null);
        }

        for (int i = 0; i < _blocks.Length; i++)
        {
            (x, input) = _blocks[i].Forward(x, input, steps, i == _blocks.Length - 1 ? predictions : null);
        }

        Tensor users = (_last is null ? input : _last.Forward(input, null).Out).to_type(ScalarType.Float32);
        if (_output is null)
        {
            return users;
        }

        _outputInput = users;
        return _output.Forward(users).add_(_output.Bias.Value);
    }

    /// <summary>The gradient by the steps [S·T × D]; adds those of the parameters. Call under <c>no_grad</c>.</summary>
    /// <param name="gradient">By the user vectors.</param>
    public Tensor Backward(Tensor gradient)
    {
        using DisposeScope scope = NewDisposeScope();
        if (_output is not null)
        {
            _output.Bias.Gradient.add_(gradient.sum(dim: 0));
            gradient = _output.Backward(_outputInput!, gradient);
        }

        gradient = gradient.to_type(_calls.Kept);
        gradient = _last is null ? gradient : _last.Backward(gradient).Residual;
        Tensor? byX = null;
        foreach (FusedBlock block in _blocks.Reverse())
        {
            (byX, gradient) = block.Backward(byX, gradient);
        }

        if (_first is not null)
        {
            (gradient, byX) = (_first.Backward(gradient, byX).Residual, null);
        }

        return _start.Backward(gradient, byX).Branch.to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _norms.ForEach(static norm => norm.Dispose());
        Array.ForEach(_blocks, static block => block.Dispose());
        _output?.Dispose();
    }

    private FusedNorm Norm(DenseParameters dense, string name)
    {
        var norm = new FusedNorm(dense, name);
        _norms.Add(norm);
        return norm;
    }
}
