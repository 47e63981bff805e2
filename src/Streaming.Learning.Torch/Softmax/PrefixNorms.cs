using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>Norms of the nested prefixes of vectors.</summary>
internal static class PrefixNorms
{
    /// <summary>Added to the squared norm before the root, as in the CPU kernels: a zero vector has cosine 0 with all.</summary>
    public const double Epsilon = 1e-12;

    /// <summary>1 / √(‖v[:w_k]‖² + ε) of each width [K][n].</summary>
    public static Tensor[] Inverse(Tensor vectors, Increments increments)
    {
        var norms = new Tensor[increments.Count];
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        for (int k = 0; k < norms.Length; k++)
        {
            var part = vectors.narrow(1, increments.Start(k), increments.Length(k)).square().sum(1);
            sum = sum is null ? part : sum.add(part);
            norms[k] = sum.add(Epsilon).rsqrt().MoveToOuterDisposeScope();
        }

        return norms;
    }
}
