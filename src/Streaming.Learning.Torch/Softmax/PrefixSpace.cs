using Streaming.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>Creates the <see cref="Prefixes"/> of vectors; holds the device tensors that this needs.</summary>
internal sealed class PrefixSpace : IDisposable
{
    // Added to the squared norm before the root, as in the CPU kernels: a zero vector has cosine 0 with all others.
    private const double Epsilon = 1e-12;

    private readonly Increments _increments;
    private readonly bool _isCosine;
    private readonly Tensor _within;
    private readonly Tensor _last;

    public PrefixSpace(Increments increments, bool cosine, Device device)
    {
        _increments = increments;
        _isCosine = cosine;
        using DisposeScope scope = NewDisposeScope();
        Tensor ends = tensor(increments.Ends.ToArray().Select(end => (long)end).ToArray(), device: device);
        _last = ends.sub(1).DetachFromDisposeScope();
        _within = arange(increments.Dimension, device: device)
            .lt(ends.unsqueeze(1))
            .unsqueeze(1)
            .to_type(ScalarType.Float32)
            .DetachFromDisposeScope();
    }

    /// <summary>The prefixes of vectors [n × D], in the caller's dispose scope.</summary>
    public Prefixes Of(Tensor vectors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = vectors.unsqueeze(0).mul(_within);
        Tensor? inverseNorms = null;
        if (_isCosine)
        {
            // Cumulative sums give the squared norms of all prefixes at once.
            inverseNorms = vectors
                .square()
                .cumsum(1)
                .index_select(1, _last)
                .add_(Epsilon)
                .rsqrt_()
                .t()
                .unsqueeze(2)
                .MoveToOuterDisposeScope();
            values.mul_(inverseNorms);
        }

        return new Prefixes(_increments, values.MoveToOuterDisposeScope(), inverseNorms);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _within.Dispose();
        _last.Dispose();
    }
}
