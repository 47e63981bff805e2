using System.Numerics.Tensors;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>A query as the kernel wants it.</summary>
public static class PackedQuery
{
    // Beyond it, times 2¹¹², a float overflows.
    private const int LargestExponent = 14;

    /// <summary>Fills up a query to whole increments and takes into it what the rows' numbers have to be multiplied by.</summary>
    /// <param name="query">w numbers.</param>
    /// <param name="element">How the rows' numbers are stored.</param>
    /// <param name="prepared">Receives <see cref="PackedRows.Padded"/>(w) numbers.</param>
    /// <returns>What inner products have to be multiplied by: a power of two.</returns>
    /// <exception cref="ArgumentException">The query holds a number that is not finite, or <paramref name="prepared"/> has another length.</exception>
    public static float Prepare(ReadOnlySpan<float> query, RowElement element, Span<float> prepared)
    {
        if (prepared.Length != PackedRows.Padded(query.Length))
        {
            throw new ArgumentException($"A query of {query.Length} numbers takes {PackedRows.Padded(query.Length)}; there is room for {prepared.Length}.", nameof(prepared));
        }

        float largest = query.IsEmpty ? 0 : MathF.Abs(TensorPrimitives.MaxMagnitude(query));
        if (!float.IsFinite(largest))
        {
            throw new ArgumentException("The query holds a number that is not finite.", nameof(query));
        }

        int excess = largest == 0 ? 0 : Math.Max(0, MathF.ILogB(largest) - LargestExponent);
        float factor = element == RowElement.Float16 ? HalfBits.Rebias : 1;
        prepared[query.Length..].Clear();
        TensorPrimitives.Multiply(query, MathF.ScaleB(factor, -excess), prepared[..query.Length]);
        return MathF.ScaleB(1, excess);
    }
}
