using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Panels;

/// <summary>The widest block of <see cref="PanelLogits{T}"/>.</summary>
/// <remarks>Written on the plain vector type: through a wrapper the JIT moves every second accumulator to another register and
/// back, which on a CPU that issues four operations per cycle costs a quarter of the speed.</remarks>
internal static class PanelLogits512
{
    private const int Lanes = PanelLayout.Lanes;

    /// <summary>8 streamed vectors against the 32 lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Compute8(in LogitTile tile, nint first)
    {
        ref float ut = ref tile.Panel;
        ref float s = ref Unsafe.Add(ref tile.Output, first * Lanes);
        ref float bias = ref Unsafe.Add(ref tile.StreamBias, first);
        ref int width = ref tile.Widths;
        nint stride = tile.Stride;
        nint second = Vector512<float>.Count;
        Vector512<float> l0 = Vector512.LoadUnsafe(ref tile.LaneBias),
            l1 = Vector512.LoadUnsafe(ref tile.LaneBias, (nuint)second);
        var x = Vector512.Create(bias);
        Vector512<float> a0 = x + l0,
            a1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 1));
        Vector512<float> b0 = x + l0,
            b1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 2));
        Vector512<float> c0 = x + l0,
            c1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 3));
        Vector512<float> d0 = x + l0,
            d1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 4));
        Vector512<float> e0 = x + l0,
            e1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 5));
        Vector512<float> f0 = x + l0,
            f1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 6));
        Vector512<float> g0 = x + l0,
            g1 = x + l1;
        x = Vector512.Create(Unsafe.Add(ref bias, 7));
        Vector512<float> h0 = x + l0,
            h1 = x + l1;
        ref float p0 = ref Unsafe.Add(ref tile.Stream, first * stride);
        ref float p3 = ref Unsafe.Add(ref p0, 3 * stride);
        ref float p6 = ref Unsafe.Add(ref p0, 6 * stride);
        int d = 0;
        for (int k = 0; k < tile.WidthCount; k++)
        {
            for (int end = Unsafe.Add(ref width, k); d < end; d++)
            {
                Vector512<float> u0 = Vector512.LoadUnsafe(ref ut),
                    u1 = Vector512.LoadUnsafe(ref ut, (nuint)second);
                x = Vector512.Create(p0);
                a0 = Avx512F.FusedMultiplyAdd(x, u0, a0);
                a1 = Avx512F.FusedMultiplyAdd(x, u1, a1);
                x = Vector512.Create(Unsafe.Add(ref p0, stride));
                b0 = Avx512F.FusedMultiplyAdd(x, u0, b0);
                b1 = Avx512F.FusedMultiplyAdd(x, u1, b1);
                x = Vector512.Create(Unsafe.Add(ref p0, 2 * stride));
                c0 = Avx512F.FusedMultiplyAdd(x, u0, c0);
                c1 = Avx512F.FusedMultiplyAdd(x, u1, c1);
                x = Vector512.Create(p3);
                d0 = Avx512F.FusedMultiplyAdd(x, u0, d0);
                d1 = Avx512F.FusedMultiplyAdd(x, u1, d1);
                x = Vector512.Create(Unsafe.Add(ref p3, stride));
                e0 = Avx512F.FusedMultiplyAdd(x, u0, e0);
                e1 = Avx512F.FusedMultiplyAdd(x, u1, e1);
                x = Vector512.Create(Unsafe.Add(ref p3, 2 * stride));
                f0 = Avx512F.FusedMultiplyAdd(x, u0, f0);
                f1 = Avx512F.FusedMultiplyAdd(x, u1, f1);
                x = Vector512.Create(p6);
                g0 = Avx512F.FusedMultiplyAdd(x, u0, g0);
                g1 = Avx512F.FusedMultiplyAdd(x, u1, g1);
                x = Vector512.Create(Unsafe.Add(ref p6, stride));
                h0 = Avx512F.FusedMultiplyAdd(x, u0, h0);
                h1 = Avx512F.FusedMultiplyAdd(x, u1, h1);
                p0 = ref Unsafe.Add(ref p0, 1);
                p3 = ref Unsafe.Add(ref p3, 1);
                p6 = ref Unsafe.Add(ref p6, 1);
                ut = ref Unsafe.Add(ref ut, Lanes);
            }

            a0.StoreUnsafe(ref s);
            a1.StoreUnsafe(ref s, (nuint)second);
            b0.StoreUnsafe(ref s, (nuint)(1 * Lanes));
            b1.StoreUnsafe(ref s, (nuint)(1 * Lanes + second));
            c0.StoreUnsafe(ref s, (nuint)(2 * Lanes));
            c1.StoreUnsafe(ref s, (nuint)(2 * Lanes + second));
            d0.StoreUnsafe(ref s, (nuint)(3 * Lanes));
            d1.StoreUnsafe(ref s, (nuint)(3 * Lanes + second));
            e0.StoreUnsafe(ref s, (nuint)(4 * Lanes));
            e1.StoreUnsafe(ref s, (nuint)(4 * Lanes + second));
            f0.StoreUnsafe(ref s, (nuint)(5 * Lanes));
            f1.StoreUnsafe(ref s, (nuint)(5 * Lanes + second));
            g0.StoreUnsafe(ref s, (nuint)(6 * Lanes));
            g1.StoreUnsafe(ref s, (nuint)(6 * Lanes + second));
            h0.StoreUnsafe(ref s, (nuint)(7 * Lanes));
            h1.StoreUnsafe(ref s, (nuint)(7 * Lanes + second));
            s = ref Unsafe.Add(ref s, tile.WidthStride);
        }
    }
}
