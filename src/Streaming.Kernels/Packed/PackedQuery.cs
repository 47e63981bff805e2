using System.Numerics.Tensors;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>A query in the form the kernel needs.</summary>
public static class PackedQuery
{
    // Above this, times 2¹¹², a float overflows.
    private const int LargestExponent = 14;

    /// <summary>Pads a query to whole increments and folds the rows' factor into it.</summary>
    /// <param name="query">w numbers.</param>
    /// <param name="element">Element type of the rows.</param>
    /// <param name="prepared">Receives <see cref="PackedRows.Padded"/>(w) numbers.</param>
    /// <returns>The factor to apply to inner products: a power of two.</returns>
    /// <exception cref="ArgumentException">The query has a non-finite number, or <paramref name="prepared"/> the wrong length.</exception>
    public static float Prepare(ReadOnlySpan<float> query, RowElement element, Span<float> prepared)
    {
        if (prepared.Length != PackedRows.Padded(query.Length))
        {
            throw new ArgumentException(
                $"A query of {query.Length} numbers needs room for {PackedRows.Padded(query.Length)}; prepared has {prepared.Length}.",
                nameof(prepared)
            );
        }

        float largest = query.IsEmpty ? 0 : MathF.Abs(TensorPrimitives.MaxMagnitude(query));
        if (!float.IsFinite(largest))
        {
            throw new ArgumentException("The query has a number that is not finite.", nameof(query));
        }

        int excess = largest == 0 ? 0 : Math.Max(0, MathF.ILogB(largest) - LargestExponent);
        float factor = element == RowElement.Float16 ? HalfBits.Rebias : 1;
        prepared[query.Length..].Clear();
        TensorPrimitives.Multiply(query, MathF.ScaleB(factor, -excess), prepared[..query.Length]);
        return MathF.ScaleB(1, excess);
    }
}
