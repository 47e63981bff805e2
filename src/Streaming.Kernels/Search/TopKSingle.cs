using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Search;

/// <summary>Few queries: one dot product at a time, bound by memory; the narrower the width, the more time is spent waiting for
/// rows a wide stride apart.</summary>
internal static class TopKSingle<T>
    where T : struct, ISimd<T>
{
    // Up to two cache lines per row the hardware prefetcher is not enough; beyond that, explicit prefetches cost more than they
    // gain.
    private const int MostPrefetched = 32;
    private const int RowsAhead = 24;
    private const int LineFloats = 16;

    public static void Run(ref TopKJob job)
    {
        ref float catalogue = ref MemoryMarshal.GetReference(job.Problem.Catalogue);
        nint stride = job.Problem.CatalogueStride;
        int width = job.Problem.Width;
        for (int query = 0; query < job.Queries; query++)
        {
            ref float vector = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Problem.Queries), (nint)query * job.Problem.QueryStride);
            ref readonly float least = ref job.Problem.Scores[((query + 1) * job.Problem.Count) - 1];
            for (int item = 0; item < job.Items; item++)
            {
                ref float row = ref Unsafe.Add(ref catalogue, item * stride);
                if (Sse.IsSupported && width <= MostPrefetched)
                {
                    Prefetch(ref row, RowsAhead * stride, width);
                }

                float score = Dot(ref vector, ref row, width) * job.Scale(item);
                if (score > least && job.IsPresent(item))
                {
                    job.Offer(query, item, score);
                }
            }
        }
    }

    // Only an address, which may lie beyond the catalogue: a prefetch does not fault.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Prefetch(ref float row, nint ahead, int width)
    {
        float* start = (float*)Unsafe.AsPointer(ref row) + ahead;
        for (int i = 0; i < width; i += LineFloats)
        {
            Sse.Prefetch0(start + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(ref float a, ref float b, int width)
    {
        T even = T.Create(0),
            odd = T.Create(0);
        int i = 0;
        for (; i <= width - (2 * T.Count); i += 2 * T.Count)
        {
            even = T.MultiplyAdd(T.Load(ref a, i), T.Load(ref b, i), even);
            odd = T.MultiplyAdd(T.Load(ref a, i + T.Count), T.Load(ref b, i + T.Count), odd);
        }

        if (i <= width - T.Count)
        {
            even = T.MultiplyAdd(T.Load(ref a, i), T.Load(ref b, i), even);
            i += T.Count;
        }

        float sum = T.Sum(even + odd);
        for (; i < width; i++)
        {
            sum += Unsafe.Add(ref a, i) * Unsafe.Add(ref b, i);
        }

        return sum;
    }
}
