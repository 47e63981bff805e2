using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Norms;

/// <summary>Column sums of a matrix: the gradient of a bias.</summary>
public static class ColumnSums
{
    /// <summary>sums[j] += Σ_r values[r][j], in row order.</summary>
    /// <param name="values">[rows × n].</param>
    /// <param name="sums">In and out: [n].</param>
    /// <exception cref="ArgumentException">The values are not a whole number of rows.</exception>
    public static void Add(ReadOnlySpan<float> values, Span<float> sums)
    {
        if (sums.IsEmpty || values.Length % sums.Length != 0)
        {
            throw new ArgumentException($"values has {values.Length} elements, not a multiple of {sums.Length}.", nameof(values));
        }

        int rows = values.Length / sums.Length;
        ref float first = ref MemoryMarshal.GetReference(values);
        int column = 0;
        if (Simd512.IsSupported)
        {
            column = Add<Simd512>(ref first, sums, rows, column);
        }

        if (Simd256.IsSupported)
        {
            column = Add<Simd256>(ref first, sums, rows, column);
        }

        if (Simd128.IsSupported)
        {
            column = Add<Simd128>(ref first, sums, rows, column);
        }

        Add<SimdScalar>(ref first, sums, rows, column);
    }

    /// <summary>Sums as many columns from one on as fill whole vectors; returns the first remaining one.</summary>
    /// <remarks>Four vectors stay in registers while the rows stream past; a single one would stall on its own sum.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Add<T>(ref float values, Span<float> sums, int rows, int column)
        where T : struct, ISimd<T>
    {
        nint second = T.Count,
            third = 2 * second,
            fourth = 3 * second;
        for (; column + (4 * T.Count) <= sums.Length; column += 4 * T.Count)
        {
            ref float sum = ref sums[column];
            ref float row = ref Unsafe.Add(ref values, column);
            T a = T.Load(ref sum),
                b = T.Load(ref sum, second),
                c = T.Load(ref sum, third),
                d = T.Load(ref sum, fourth);
            for (int r = 0; r < rows; r++)
            {
                a += T.Load(ref row);
                b += T.Load(ref row, second);
                c += T.Load(ref row, third);
                d += T.Load(ref row, fourth);
                row = ref Unsafe.Add(ref row, sums.Length);
            }

            a.Store(ref sum);
            b.Store(ref sum, second);
            c.Store(ref sum, third);
            d.Store(ref sum, fourth);
        }

        for (; column + T.Count <= sums.Length; column += T.Count)
        {
            ref float sum = ref sums[column];
            T a = T.Load(ref sum);
            for (int r = 0; r < rows; r++)
            {
                a += T.Load(ref Unsafe.Add(ref values, ((nint)r * sums.Length) + column));
            }

            a.Store(ref sum);
        }

        return column;
    }
}
