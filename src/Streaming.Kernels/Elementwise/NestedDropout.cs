using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Elementwise;

/// <summary>
/// Dropout of rows with a rate per increment, in place and without a stored mask: a hash of (key, row · D + column) decides
/// whether an element is kept, as in <see cref="Dropout"/>. The backward pass is the same call on the gradient.
/// </summary>
public static class NestedDropout
{
    /// <summary>values ← kept ? values / (1 − rate of its increment) : 0.</summary>
    /// <param name="values">[rows × D], changed in place.</param>
    /// <param name="firstRow">Number of the first row, so that a slice of a matrix gets the mask of the whole.</param>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="rates">Rate of each increment, 0 and up, below 1.</param>
    /// <param name="key">Identifies the mask.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Apply(Span<float> values, int firstRow, ReadOnlySpan<int> widths, ReadOnlySpan<float> rates, in DropoutKey key)
    {
        int d = widths[^1];
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, widths.Length, nameof(rates));
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length % d, 0, nameof(values));
        ref float rows = ref MemoryMarshal.GetReference(values);
        for (int k = 0, start = 0; k < widths.Length; start = widths[k++])
        {
            // Increments with equal rates share a mask: merged, they use wider vectors and fewer passes over the rows.
            while (k + 1 < widths.Length && rates[k + 1] == rates[k])
            {
                k++;
            }

            if (rates[k] <= 0)
            {
                continue;
            }

            ref float first = ref Unsafe.Add(ref rows, start);
            var job = new Job(
                values.Length / d,
                d,
                widths[k] - start,
                (uint)((firstRow * d) + start),
                1 / (1 - rates[k]),
                new DropoutMask(rates[k], key)
            );
            switch (SimdLevel.For(job.Length))
            {
                case 16:
                    Apply<Simd512>(ref first, job);
                    break;
                case 8:
                    Apply<Simd256>(ref first, job);
                    break;
                case 4:
                    Apply<Simd128>(ref first, job);
                    break;
                default:
                    Apply<SimdScalar>(ref first, job);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<T>(ref float row, in Job job)
        where T : struct, ISimd<T>
    {
        T scale = T.Create(job.Scale);
        uint index = job.Index;
        DropoutMask mask = job.Mask; // A local copy: through a reference, every store could change it.
        nint length = job.Length;
        for (int r = 0; r < job.Rows; r++)
        {
            for (nint i = 0; i < length; i += T.Count)
            {
                T.Keep(T.Load(ref row, i) * scale, index + (uint)i, in mask).Store(ref row, i);
            }

            row = ref Unsafe.Add(ref row, job.RowLength);
            index += (uint)job.RowLength;
        }
    }

    private readonly struct Job(int rows, int rowLength, int length, uint index, float scale, DropoutMask mask)
    {
        public readonly int Rows = rows;
        public readonly int RowLength = rowLength;
        public readonly int Length = length;
        public readonly uint Index = index;
        public readonly float Scale = scale;
        public readonly DropoutMask Mask = mask;
    }
}
