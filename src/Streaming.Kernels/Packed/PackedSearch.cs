using System.Buffers;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>Operations of a search over packed rows.</summary>
public static class PackedSearch
{
    // Gives a zero vector cosine 0 with every other vector, as InverseNorms does.
    private const float Epsilon = 1e-12f;

    private enum Work
    {
        Dots,
        Squares,
    }

    /// <summary>Inner products of rows with a query, before the rows' scales and the query's factor are applied.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="first">The first row.</param>
    /// <param name="query">A query from <see cref="PackedQuery.Prepare"/>; its length determines the number of increments read.</param>
    /// <param name="output">Out: one number per row; its length is the number of rows.</param>
    /// <exception cref="ArgumentException">Rows, query and output do not match.</exception>
    public static void Dots(in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output) =>
        Run(Work.Dots, in rows, first, query, output);

    /// <summary>Inner products of some rows with a query: the same numbers as those of all rows, at several times the cost per
    /// row.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="which">The rows to take.</param>
    /// <param name="query">A query from <see cref="PackedQuery.Prepare"/>; its length determines the number of increments read.</param>
    /// <param name="output">Out: one number per row taken.</param>
    /// <exception cref="ArgumentException">Rows, query and output do not match.</exception>
    public static void Dots(in PackedRows rows, ReadOnlySpan<int> which, ReadOnlySpan<float> query, Span<float> output)
    {
        Check(in rows, 0, query, output);
        if (which.Length != output.Length || which.ContainsAnyExceptInRange(0, rows.Capacity - 1))
        {
            throw new ArgumentException(
                $"{which.Length} rows of {rows.Capacity} for {output.Length} numbers; allowed: as many, of these rows.",
                nameof(which)
            );
        }

        if (Simd512.IsSupported)
        {
            Some<Simd512>(in rows, which, query, output);
        }
        else if (Simd256.IsSupported)
        {
            Some<Simd256>(in rows, which, query, output);
        }
        else if (Simd128.IsSupported)
        {
            Some<Simd128>(in rows, which, query, output);
        }
        else
        {
            Some<SimdScalar>(in rows, which, query, output);
        }
    }

    /// <summary>1 / √(|x|² + 10⁻¹²) of prefixes of rows, in units of the rows' scales.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="first">The first row.</param>
    /// <param name="width">Length of the prefix.</param>
    /// <param name="output">Out: one number per row; its length is the number of rows.</param>
    /// <exception cref="ArgumentException">Rows, width and output do not match.</exception>
    public static void InverseNorms(in PackedRows rows, int first, int width, Span<float> output)
    {
        int padded = PackedRows.Padded(width);
        float[] weights = ArrayPool<float>.Shared.Rent(padded);
        try
        {
            weights.AsSpan(0, width).Fill(rows.Element == RowElement.Float16 ? HalfElement.Factor : 1);
            weights.AsSpan(width, padded - width).Clear();
            Run(Work.Squares, in rows, first, weights.AsSpan(0, padded), output);
            foreach (ref float value in output)
            {
                value = 1f / MathF.Sqrt(value + Epsilon);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(weights);
        }
    }

    private static void Run(Work work, in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output)
    {
        Check(in rows, first, query, output);
        if (Simd512.IsSupported)
        {
            Run<Simd512>(work, in rows, first, query, output);
        }
        else if (Simd256.IsSupported)
        {
            Run<Simd256>(work, in rows, first, query, output);
        }
        else if (Simd128.IsSupported)
        {
            Run<Simd128>(work, in rows, first, query, output);
        }
        else
        {
            Run<SimdScalar>(work, in rows, first, query, output);
        }
    }

    private static void Run<T>(Work work, in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output)
        where T : struct, ISimd<T>
    {
        switch (rows.Element)
        {
            case RowElement.Float32:
                Run<T, float, SingleElement>(work, in rows, first, query, output);
                break;
            case RowElement.Float16:
                Run<T, ushort, HalfElement>(work, in rows, first, query, output);
                break;
            default:
                Run<T, sbyte, ByteElement>(work, in rows, first, query, output);
                break;
        }
    }

    private static void Run<T, TValue, TElement>(Work work, in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output)
        where T : struct, ISimd<T>
        where TValue : unmanaged
        where TElement : IRowElement<TValue>
    {
        if (work == Work.Dots)
        {
            PackedKernel<T, TValue, TElement>.Dots(in rows, first, query, output);
        }
        else
        {
            PackedKernel<T, TValue, TElement>.Squares(in rows, first, query, output);
        }
    }

    private static void Some<T>(in PackedRows rows, ReadOnlySpan<int> which, ReadOnlySpan<float> query, Span<float> output)
        where T : struct, ISimd<T>
    {
        switch (rows.Element)
        {
            case RowElement.Float32:
                PackedKernel<T, float, SingleElement>.Dots(in rows, which, query, output);
                break;
            case RowElement.Float16:
                PackedKernel<T, ushort, HalfElement>.Dots(in rows, which, query, output);
                break;
            default:
                PackedKernel<T, sbyte, ByteElement>.Dots(in rows, which, query, output);
                break;
        }
    }

    private static void Check(in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output)
    {
        if (
            query.Length % PackedRows.Increment != 0
            || (long)query.Length * rows.Capacity * PackedRows.Size(rows.Element) > rows.Values.Length
        )
        {
            throw new ArgumentException(
                $"{query.Length} numbers of {rows.Capacity} rows do not fit {rows.Values.Length} bytes; allowed: whole increments of "
                    + $"{PackedRows.Increment} within them.",
                nameof(query)
            );
        }

        if (first < 0 || output.Length > rows.Capacity - first)
        {
            throw new ArgumentException($"Rows {first} to {first + output.Length} exceed the capacity of {rows.Capacity}.", nameof(output));
        }
    }
}
