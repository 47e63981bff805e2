using System.Runtime.CompilerServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Panels;

/// <summary>
/// Dot products of streamed vectors with a transposed panel of 32 vectors ("rows are lanes"): the streamed vectors stay in
/// row-major order and each of their values is broadcast, so there is no packing and no sum across lanes.
/// </summary>
/// <remarks>
/// All widths cost as much as the widest: accumulators stay in registers from width to width and are stored, not reloaded, at
/// each w_k. The methods are long because each accumulator must be a separate local to be kept in a register.
/// </remarks>
internal static class PanelLogits<T>
    where T : struct, ISimd<T>
{
    private const int Lanes = PanelLayout.Lanes;

    /// <summary>S[k][j][lane] = streamBias[j] + laneBias[lane] + Σ_{d &lt; w_k} X[j][d] · panel[d][lane].</summary>
    public static void Compute(in LogitTile tile, int count)
    {
        if (T.HasManyRegisters)
        {
            int j = 0;
            for (; j + 8 <= count; j += 8)
            {
                PanelLogits512.Compute8(in tile, j);
            }

            for (; j < count; j++)
            {
                Logits1(in tile, j, 0);
            }

            return;
        }

        for (int lane = 0; lane < Lanes; lane += 2 * T.Count)
        {
            int j = 0;
            for (; j + 4 <= count; j += 4)
            {
                Logits4(in tile, j, lane);
            }

            for (; j < count; j++)
            {
                Logits1(in tile, j, lane);
            }
        }
    }

    /// <summary>4 streamed vectors against 2·Count lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Logits4(in LogitTile tile, nint first, nint lane)
    {
        ref float ut = ref Unsafe.Add(ref tile.Panel, lane);
        ref float s = ref Unsafe.Add(ref tile.Output, first * Lanes + lane);
        ref float bias = ref Unsafe.Add(ref tile.StreamBias, first);
        ref int width = ref tile.Widths;
        nint stride = tile.Stride;
        nint second = T.Count;
        T l0 = T.Load(ref Unsafe.Add(ref tile.LaneBias, lane)),
            l1 = T.Load(ref Unsafe.Add(ref tile.LaneBias, lane), second);
        T x = T.Create(bias);
        T a0 = x + l0,
            a1 = x + l1;
        x = T.Create(Unsafe.Add(ref bias, 1));
        T b0 = x + l0,
            b1 = x + l1;
        x = T.Create(Unsafe.Add(ref bias, 2));
        T c0 = x + l0,
            c1 = x + l1;
        x = T.Create(Unsafe.Add(ref bias, 3));
        T d0 = x + l0,
            d1 = x + l1;
        ref float p0 = ref Unsafe.Add(ref tile.Stream, first * stride);
        ref float p3 = ref Unsafe.Add(ref p0, 3 * stride);
        int d = 0;
        for (int k = 0; k < tile.WidthCount; k++)
        {
            for (int end = Unsafe.Add(ref width, k); d < end; d++)
            {
                T u0 = T.Load(ref ut),
                    u1 = T.Load(ref ut, second);
                x = T.Create(p0);
                a0 = T.MultiplyAdd(x, u0, a0);
                a1 = T.MultiplyAdd(x, u1, a1);
                x = T.Create(Unsafe.Add(ref p0, stride));
                b0 = T.MultiplyAdd(x, u0, b0);
                b1 = T.MultiplyAdd(x, u1, b1);
                x = T.Create(Unsafe.Add(ref p0, 2 * stride));
                c0 = T.MultiplyAdd(x, u0, c0);
                c1 = T.MultiplyAdd(x, u1, c1);
                x = T.Create(p3);
                d0 = T.MultiplyAdd(x, u0, d0);
                d1 = T.MultiplyAdd(x, u1, d1);
                p0 = ref Unsafe.Add(ref p0, 1);
                p3 = ref Unsafe.Add(ref p3, 1);
                ut = ref Unsafe.Add(ref ut, Lanes);
            }

            a0.Store(ref s);
            a1.Store(ref s, second);
            b0.Store(ref s, 1 * Lanes);
            b1.Store(ref s, 1 * Lanes + second);
            c0.Store(ref s, 2 * Lanes);
            c1.Store(ref s, 2 * Lanes + second);
            d0.Store(ref s, 3 * Lanes);
            d1.Store(ref s, 3 * Lanes + second);
            s = ref Unsafe.Add(ref s, tile.WidthStride);
        }
    }

    /// <summary>1 streamed vector against 2·Count lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Logits1(in LogitTile tile, nint first, nint lane)
    {
        ref float ut = ref Unsafe.Add(ref tile.Panel, lane);
        ref float s = ref Unsafe.Add(ref tile.Output, first * Lanes + lane);
        ref float bias = ref Unsafe.Add(ref tile.StreamBias, first);
        ref int width = ref tile.Widths;
        nint stride = tile.Stride;
        nint second = T.Count;
        T l0 = T.Load(ref Unsafe.Add(ref tile.LaneBias, lane)),
            l1 = T.Load(ref Unsafe.Add(ref tile.LaneBias, lane), second);
        T x = T.Create(bias);
        T a0 = x + l0,
            a1 = x + l1;
        ref float p0 = ref Unsafe.Add(ref tile.Stream, first * stride);
        int d = 0;
        for (int k = 0; k < tile.WidthCount; k++)
        {
            for (int end = Unsafe.Add(ref width, k); d < end; d++)
            {
                T u0 = T.Load(ref ut),
                    u1 = T.Load(ref ut, second);
                x = T.Create(p0);
                a0 = T.MultiplyAdd(x, u0, a0);
                a1 = T.MultiplyAdd(x, u1, a1);
                p0 = ref Unsafe.Add(ref p0, 1);
                ut = ref Unsafe.Add(ref ut, Lanes);
            }

            a0.Store(ref s);
            a1.Store(ref s, second);
            s = ref Unsafe.Add(ref s, tile.WidthStride);
        }
    }
}
