using System.Numerics.Tensors;

namespace Streaming.Kernels;

/// <summary>1 / √(|x|² + 10⁻¹²) of the prefix of each row: what cosine scores are multiplied by.</summary>
public static class InverseNorms
{
    /// <summary>Computes the inverse norms of all rows at one width.</summary>
    /// <param name="rows">Row-major vectors.</param>
    /// <param name="stride">Distance between rows, at least <paramref name="width"/>.</param>
    /// <param name="width">Values of a row that count.</param>
    /// <param name="output">Out: one value a row; its length says how many rows there are.</param>
    public static void Compute(ReadOnlySpan<float> rows, int stride, int width, Span<float> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, width);
        for (int row = 0; row < output.Length; row++)
        {
            output[row] = 1f / MathF.Sqrt(TensorPrimitives.SumOfSquares(rows.Slice(row * stride, width)) + 1e-12f);
        }
    }
}
