using Streaming.Learning.Torch.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>y = residual + dropout(branch + bias), out = norm(y), where two layers of a tower meet.</summary>
/// <param name="calls">Kernels.</param>
/// <param name="site">Number of the place, for its dropout.</param>
/// <param name="norm">The norm, or null for none.</param>
/// <param name="branchBias">The bias of the branch's last product, or null.</param>
internal sealed class FusedJoin(FusedCalls calls, int site, FusedNorm? norm, FusedParameter? branchBias = null)
{
    private Tensor? _y;
    private bool _hasBranch;

    /// <summary>Joins [rows × D].</summary>
    /// <param name="residual">Null for a branch alone.</param>
    /// <param name="branch">Null for a residual alone.</param>
    /// <returns>y and out, which is y without a norm.</returns>
    public (Tensor Y, Tensor Out) Forward(Tensor? residual, Tensor? branch)
    {
        Tensor like = branch ?? residual!;
        _hasBranch = branch is not null;
        _y = _hasBranch ? empty_like(like) : residual!;
        Tensor? normal = norm is null ? null : empty_like(like);
        int rows = (int)like.shape[0];
        calls
            .Of(calls.Kernels.JoinForward)
            .With(residual)
            .With(branch)
            .With(branchBias?.Value)
            .With(calls.Dropout(site))
            .With(norm?.Gain.Value)
            .With(norm?.Bias.Value)
            .With(rows)
            .With(_hasBranch ? _y : null)
            .With(normal)
            .Launch((calls.Blocks(rows), 1), 256);
        return (_y, normal ?? _y);
    }

    /// <summary>Reads a tower's input, as the branch.</summary>
    /// <param name="items">Where its vectors are.</param>
    /// <param name="rows">Their number.</param>
    /// <param name="device">Where they are.</param>
    /// <returns>y and out, which is y without a norm.</returns>
    public (Tensor Y, Tensor Out) Forward(RowSource items, int rows, Device device)
    {
        _hasBranch = true;
        _y = calls.Empty(device, rows, calls.Dimension);
        Tensor? normal = norm is null ? null : empty_like(_y);
        calls.Of(calls.Kernels.StartForward).With(items).With(calls.Dropout(site)).With(norm?.Gain.Value).With(norm?.Bias.Value);
        calls.Then.With(rows).With(_y).With(normal).Launch((calls.Blocks(rows), 1), 256);
        return (_y, normal ?? _y);
    }

    /// <summary>Adds the gradients of the norm and the bias.</summary>
    /// <param name="gOut">Gradient by out.</param>
    /// <param name="gY">Gradient by y from elsewhere, or null.</param>
    /// <returns>Gradient by the residual, and by the branch.</returns>
    public (Tensor Residual, Tensor Branch) Backward(Tensor gOut, Tensor? gY = null)
    {
        int rows = (int)gOut.shape[0],
            blocks = calls.Blocks(rows);
        using DisposeScope scope = NewDisposeScope();
        Tensor residual = empty_like(gOut);
        Tensor branch = _hasBranch ? empty_like(gOut) : residual;
        Tensor partial = FusedCalls.Partial(gOut.device, blocks, 3, calls.Dimension);
        calls
            .Of(calls.Kernels.JoinBackward)
            .With(_y)
            .With(norm is null ? null : gOut)
            .With(norm is null ? gOut : gY)
            .With(calls.Dropout(site))
            .With(norm?.Gain.Value)
            .With(rows)
            .With(residual)
            .With(_hasBranch ? branch : null)
            .With(partial)
            .Launch((blocks, 1), 256, calls.SharedBytes(3));
        calls.AddParts(partial, norm?.Gain.Gradient, norm?.Bias.Gradient, _hasBranch ? branchBias?.Gradient : null);
        return (residual.MoveToOuterDisposeScope(), _hasBranch ? branch.MoveToOuterDisposeScope() : residual);
    }
}
