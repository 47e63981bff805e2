using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Streaming.Kernels;

/// <summary>
/// Dropout of rows with a rate of its own for each increment, in place and without a stored mask: whether an element is
/// kept is a hash of (key, row · D + column), as in <see cref="Dropout"/>. The backward pass is the same call on the
/// gradient.
/// </summary>
public static class NestedDropout
{
    /// <summary>values ← kept ? values / (1 − rate of its increment) : 0.</summary>
    /// <param name="values">[rows × D], changed in place.</param>
    /// <param name="firstRow">Number of the first row: a part of a matrix gets the mask that the whole one would.</param>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="rates">Rate of each increment, 0 and up, below 1.</param>
    /// <param name="key">Names the mask.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Apply(Span<float> values, int firstRow, ReadOnlySpan<int> widths, ReadOnlySpan<float> rates, in DropoutKey key)
    {
        int d = widths[^1];
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, widths.Length, nameof(rates));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length % d, 0, nameof(values));
        for (int k = 0; k < widths.Length; k++)
        {
            if (rates[k] <= 0)
            {
                continue;
            }

            var mask = new DropoutMask(rates[k], key);
            float scale = 1 / (1 - rates[k]);
            int start = k == 0 ? 0 : widths[k - 1];
            for (int at = start, row = firstRow; at < values.Length; at += d, row++)
            {
                Apply(values.Slice(at, widths[k] - start), (uint)((row * d) + start), mask, scale);
            }
        }
    }

    private static void Apply(Span<float> values, uint index, in DropoutMask mask, float scale)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var bits = Mix(Mix((Vector512.Create(index + (uint)i) + Vector512<uint>.Indices) ^ Vector512.Create(mask.Key0)) + Vector512.Create(mask.Key1));
            var kept = Vector512.GreaterThanOrEqual(bits, Vector512.Create(mask.Threshold)).AsSingle();
            ((Vector512.LoadUnsafe(ref first, (nuint)i) * Vector512.Create(scale)) & kept).StoreUnsafe(ref first, (nuint)i);
        }

        for (; i < values.Length; i++)
        {
            values[i] = mask.Keeps(index + (uint)i) ? values[i] * scale : 0;
        }
    }

    // DropoutMask.Mix32, sixteen at a time.
    private static Vector512<uint> Mix(Vector512<uint> x)
    {
        x ^= Vector512.ShiftRightLogical(x, 16);
        x *= Vector512.Create(0x85EBCA6Bu);
        x ^= Vector512.ShiftRightLogical(x, 13);
        x *= Vector512.Create(0xC2B2AE35u);
        return x ^ Vector512.ShiftRightLogical(x, 16);
    }
}
