using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Norms;

/// <summary>An increment as <see cref="NormKernel{T}"/> needs it.</summary>
/// <param name="Begin">First column.</param>
/// <param name="Length">Columns.</param>
/// <param name="Statistics">Index of its statistics within those of a row.</param>
/// <param name="Lanes">Lanes of the widest vector that divides the length.</param>
/// <param name="Share">1 / length.</param>
internal readonly record struct NormIncrement(int Begin, int Length, int Statistics, int Lanes, float Share)
{
    /// <summary>The increments of nested widths.</summary>
    public static NormIncrement[] All(int[] widths)
    {
        var all = new NormIncrement[widths.Length];
        for (int k = 0, begin = 0; k < all.Length; begin = widths[k++])
        {
            int length = widths[k] - begin;
            all[k] = new NormIncrement(begin, length, 2 * k, SimdLevel.For(length), 1f / length);
        }

        return all;
    }
}
