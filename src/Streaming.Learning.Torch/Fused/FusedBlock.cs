using Streaming.Learning.Torch.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Fused;

/// <summary>
/// One block of the fmrlrec tower. Pre-norm: y = x + LRU(norm(x)), y + FFN(norm(y)); the join after a layer also computes the norm
/// before the next one. Post-norm: y = norm(x + LRU(x)), norm(y + FFN(y)).
/// </summary>
internal sealed class FusedBlock : IDisposable
{
    private readonly FusedLru _lru;
    private readonly FusedGate _ffn;
    private readonly FusedJoin _mix;
    private readonly FusedJoin _end;
    private readonly bool _isPreNorm;
    private Tensor? _selected;
    private long _rows;

    /// <summary>Creates a block.</summary>
    /// <param name="calls">Kernels.</param>
    /// <param name="dense">Parameters.</param>
    /// <param name="name">Of the block, in parameter names.</param>
    /// <param name="site">First of three numbers for its dropout.</param>
    /// <param name="isPreNorm">Whether norms precede the layers.</param>
    /// <param name="mixNorm">The norm of the first join.</param>
    /// <param name="endNorm">The norm of the second join, or null for none.</param>
    public FusedBlock(FusedCalls calls, DenseParameters dense, string name, int site, bool isPreNorm, FusedNorm mixNorm, FusedNorm? endNorm)
    {
        _isPreNorm = isPreNorm;
        _lru = new FusedLru(calls, dense, $"{name}.lru");
        _ffn = new FusedGate(calls, dense, $"{name}.ffn", site + 1);
        _mix = new FusedJoin(calls, site, mixNorm, _lru.Bias);
        _end = new FusedJoin(calls, site + 2, endNorm, _ffn.Bias);
    }

    /// <summary>Runs the block.</summary>
    /// <param name="x">[S·T × D], what layers add to.</param>
    /// <param name="input">[S·T × D], what the recurrence reads: the norm of x, or x itself with post-norm.</param>
    /// <param name="steps">T.</param>
    /// <param name="selected">Rows needed after the recurrence, or null for all.</param>
    /// <returns>The same two for the next block.</returns>
    public (Tensor X, Tensor Input) Forward(Tensor x, Tensor input, int steps, Tensor? selected)
    {
        (_selected, _rows) = (selected, x.shape[0]);
        Tensor residual = selected is null ? x : x.index_select(0, selected);
        (Tensor y, Tensor normal) = _mix.Forward(residual, _lru.Forward(input, steps, selected));
        (Tensor end, Tensor endNormal) = _end.Forward(_isPreNorm ? y : normal, _ffn.Forward(normal));
        return (_isPreNorm ? end : endNormal, endNormal);
    }

    /// <summary>Gradients by x and by input; with post-norm all of it is that by x.</summary>
    /// <param name="gX">By the x returned, or null for none.</param>
    /// <param name="gInput">By the input returned.</param>
    public (Tensor? X, Tensor Input) Backward(Tensor? gX, Tensor gInput)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor gY, Tensor gFfn) = _end.Backward(gInput, gX);
        Tensor gNormal = _ffn.Backward(gFfn, _isPreNorm ? null : gY);
        (Tensor gResidual, Tensor gLru) = _mix.Backward(gNormal, _isPreNorm ? gY : null);
        Tensor byX = FusedLru.Spread(gResidual, _selected, _rows);
        Tensor byInput = _lru.Backward(gLru, _isPreNorm ? null : byX);
        return (_isPreNorm ? byX.MoveToOuterDisposeScope() : null, byInput.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lru.Dispose();
        _ffn.Dispose();
    }
}
