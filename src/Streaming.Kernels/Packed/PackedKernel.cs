using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>Inner products and squared lengths of packed rows, four rows at a time so that they share the horizontal sums.</summary>
internal static class PackedKernel<T, TValue, TElement>
    where T : struct, ISimd<T>
    where TValue : unmanaged
    where TElement : IRowElement<TValue>
{
    private const int Increment = PackedRows.Increment;
    private const int Group = 4;
    private const int Line = 64;

    // Half a page: a shorter distance arrives too late, a longer one is evicted before use.
    private const int BytesAhead = 2048;

    // Rows apart: each is on as many lines as it has increments, so that few rows keep all of a core's line buffers busy.
    private const int RowsAhead = 3;

    /// <summary>Inner products of rows with a query that <see cref="PackedQuery"/> prepared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(in PackedRows rows, int first, ReadOnlySpan<float> query, Span<float> output)
    {
        ref TValue values = ref Values(in rows);
        ref float weights = ref MemoryMarshal.GetReference(query);
        nint block = (nint)rows.Capacity * Increment;
        int width = query.Length,
            row = 0;
        for (; row <= output.Length - Group; row += Group)
        {
            T a = T.Create(0),
                b = a,
                c = a,
                d = a;
            nint at = (nint)(first + row) * Increment;
            for (nint i = 0; i < width; i += Increment, at += block)
            {
                Prefetch(ref Unsafe.Add(ref values, at));
                for (nint lane = 0; lane < Increment; lane += T.Count)
                {
                    T weight = T.Load(ref weights, i + lane);
                    a = T.MultiplyAdd(TElement.Load<T>(ref values, at + lane), weight, a);
                    b = T.MultiplyAdd(TElement.Load<T>(ref values, at + lane + Increment), weight, b);
                    c = T.MultiplyAdd(TElement.Load<T>(ref values, at + lane + (2 * Increment)), weight, c);
                    d = T.MultiplyAdd(TElement.Load<T>(ref values, at + lane + (3 * Increment)), weight, d);
                }
            }

            T.Sums(a, b, c, d).StoreUnsafe(ref output[row]);
        }

        for (; row < output.Length; row++)
        {
            output[row] = Dot(ref values, (nint)(first + row) * Increment, block, ref weights, width);
        }
    }

    /// <summary>Inner products of some rows with a query that <see cref="PackedQuery"/> prepared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(in PackedRows rows, ReadOnlySpan<int> which, ReadOnlySpan<float> query, Span<float> output)
    {
        ref TValue values = ref Values(in rows);
        ref float weights = ref MemoryMarshal.GetReference(query);
        nint block = (nint)rows.Capacity * Increment;
        for (int i = 0; i < which.Length; i++)
        {
            if (i + RowsAhead < which.Length)
            {
                PrefetchRow(ref Unsafe.Add(ref values, (nint)which[i + RowsAhead] * Increment), block, query.Length);
            }

            output[i] = Dot(ref values, (nint)which[i] * Increment, block, ref weights, query.Length);
        }
    }

    /// <summary>Squared lengths of prefixes; numbers of weight 0 are excluded, the others have the weight
    /// <see cref="IRowElement{TValue}.Factor"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Squares(in PackedRows rows, int first, ReadOnlySpan<float> weights, Span<float> output)
    {
        ref TValue values = ref Values(in rows);
        ref float weight = ref MemoryMarshal.GetReference(weights);
        nint block = (nint)rows.Capacity * Increment;
        for (int row = 0; row < output.Length; row++)
        {
            T sum = T.Create(0);
            nint at = (nint)(first + row) * Increment;
            for (nint i = 0; i < weights.Length; i += Increment, at += block)
            {
                for (nint lane = 0; lane < Increment; lane += T.Count)
                {
                    T value = TElement.Load<T>(ref values, at + lane) * T.Load(ref weight, i + lane);
                    sum = T.MultiplyAdd(value, value, sum);
                }
            }

            output[row] = T.Sum(sum);
        }
    }

    // The hardware prefetcher does not follow this many streams. Only an address, which may lie beyond the rows: a prefetch
    // does not fault.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Prefetch(ref TValue row)
    {
        if (Sse.IsSupported)
        {
            byte* ahead = (byte*)Unsafe.AsPointer(ref row) + BytesAhead;
            for (int at = 0; at < Group * Increment * Unsafe.SizeOf<TValue>(); at += Line)
            {
                Sse.Prefetch0(ahead + at);
            }
        }
    }

    private static unsafe void PrefetchRow(ref TValue row, nint block, int width)
    {
        if (Sse.IsSupported)
        {
            for (nint i = 0; i < width; i += Increment)
            {
                Sse.Prefetch0(Unsafe.AsPointer(ref row));
                row = ref Unsafe.Add(ref row, block);
            }
        }
    }

    private static float Dot(ref TValue values, nint at, nint block, ref float weights, int width)
    {
        T sum = T.Create(0);
        for (nint i = 0; i < width; i += Increment, at += block)
        {
            for (nint lane = 0; lane < Increment; lane += T.Count)
            {
                sum = T.MultiplyAdd(TElement.Load<T>(ref values, at + lane), T.Load(ref weights, i + lane), sum);
            }
        }

        // Same order of summation as in a group of four, so that a row's score does not depend on its position.
        return T.Sums(sum, sum, sum, sum).ToScalar();
    }

    private static ref TValue Values(in PackedRows rows) => ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, TValue>(rows.Values));
}
