using System.Runtime.CompilerServices;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>Sums of streamed vectors, weighted per lane: the transpose of <see cref="PanelLogits{T}"/> in the same form.</summary>
internal static class PanelGradient<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;

    /// <summary>output[d][lane] += Σ_j X[j][d] · weights[j][lane] for d in [begin, end).</summary>
    /// <param name="x">First streamed vector.</param>
    /// <param name="stride">Distance between streamed vectors.</param>
    /// <param name="weights">[count × 32].</param>
    /// <param name="output">[D × 32].</param>
    /// <param name="count">Streamed vectors.</param>
    /// <param name="begin">First coordinate.</param>
    /// <param name="end">Coordinate after the last.</param>
    public static void Accumulate(ref float x, nint stride, ref float weights, ref float output, int count, int begin, int end)
    {
        int block = T.HasManyRegisters ? 8 : 4;
        int d = begin;
        for (; d + block <= end; d += block)
        {
            for (int lane = 0; lane < Lanes; lane += 2 * T.Count)
            {
                ref float w = ref Unsafe.Add(ref weights, lane);
                ref float o = ref Unsafe.Add(ref output, (nint)d * Lanes + lane);
                if (T.HasManyRegisters)
                {
                    PanelGradient512.Accumulate8(ref Unsafe.Add(ref x, d), stride, ref w, ref o, count);
                }
                else
                {
                    Gradient4(ref Unsafe.Add(ref x, d), stride, ref w, ref o, count);
                }
            }
        }

        for (; d < end; d++)
        {
            for (int lane = 0; lane < Lanes; lane += 2 * T.Count)
            {
                Gradient1(
                    ref Unsafe.Add(ref x, d),
                    stride,
                    ref Unsafe.Add(ref weights, lane),
                    ref Unsafe.Add(ref output, (nint)d * Lanes + lane),
                    count
                );
            }
        }
    }

    /// <summary>4 coordinates of 2·Count lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Gradient4(ref float x, nint stride, ref float g, ref float output, int count)
    {
        nint second = T.Count;
        nint at = 0;
        T a0 = T.Load(ref output),
            a1 = T.Load(ref output, second);
        T b0 = T.Load(ref output, 1 * Lanes),
            b1 = T.Load(ref output, 1 * Lanes + second);
        T c0 = T.Load(ref output, 2 * Lanes),
            c1 = T.Load(ref output, 2 * Lanes + second);
        T d0 = T.Load(ref output, 3 * Lanes),
            d1 = T.Load(ref output, 3 * Lanes + second);
        for (int j = 0; j < count; j++)
        {
            T w0 = T.Load(ref g),
                w1 = T.Load(ref g, second);
            T v = T.Create(Unsafe.Add(ref x, at));
            a0 = T.MultiplyAdd(v, w0, a0);
            a1 = T.MultiplyAdd(v, w1, a1);
            v = T.Create(Unsafe.Add(ref x, at + 1));
            b0 = T.MultiplyAdd(v, w0, b0);
            b1 = T.MultiplyAdd(v, w1, b1);
            v = T.Create(Unsafe.Add(ref x, at + 2));
            c0 = T.MultiplyAdd(v, w0, c0);
            c1 = T.MultiplyAdd(v, w1, c1);
            v = T.Create(Unsafe.Add(ref x, at + 3));
            d0 = T.MultiplyAdd(v, w0, d0);
            d1 = T.MultiplyAdd(v, w1, d1);
            at += stride;
            g = ref Unsafe.Add(ref g, Lanes);
        }

        a0.Store(ref output);
        a1.Store(ref output, second);
        b0.Store(ref output, 1 * Lanes);
        b1.Store(ref output, 1 * Lanes + second);
        c0.Store(ref output, 2 * Lanes);
        c1.Store(ref output, 2 * Lanes + second);
        d0.Store(ref output, 3 * Lanes);
        d1.Store(ref output, 3 * Lanes + second);
    }

    /// <summary>1 coordinate of 2·Count lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Gradient1(ref float x, nint stride, ref float g, ref float output, int count)
    {
        nint second = T.Count;
        nint at = 0;
        T a0 = T.Load(ref output),
            a1 = T.Load(ref output, second);
        for (int j = 0; j < count; j++)
        {
            T w0 = T.Load(ref g),
                w1 = T.Load(ref g, second);
            T v = T.Create(Unsafe.Add(ref x, at));
            a0 = T.MultiplyAdd(v, w0, a0);
            a1 = T.MultiplyAdd(v, w1, a1);
            at += stride;
            g = ref Unsafe.Add(ref g, Lanes);
        }

        a0.Store(ref output);
        a1.Store(ref output, second);
    }
}
