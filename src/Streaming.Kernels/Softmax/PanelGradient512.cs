using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Panels;

namespace Streaming.Kernels.Softmax;

/// <summary>The widest block of <see cref="PanelGradient{T}"/>.</summary>
/// <remarks>Written on the plain vector type: through a wrapper the JIT moves every second accumulator to another register and
/// back, which on a CPU that issues four operations per cycle costs a quarter of the speed.</remarks>
internal static class PanelGradient512
{
    private const int Lanes = PanelLayout.Lanes;

    /// <summary>8 coordinates of the 32 lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate8(ref float x, nint stride, ref float g, ref float output, int count)
    {
        nint second = Vector512<float>.Count;
        nint at = 0;
        Vector512<float> a0 = Vector512.LoadUnsafe(ref output),
            a1 = Vector512.LoadUnsafe(ref output, (nuint)second);
        Vector512<float> b0 = Vector512.LoadUnsafe(ref output, (nuint)(1 * Lanes)),
            b1 = Vector512.LoadUnsafe(ref output, (nuint)(1 * Lanes + second));
        Vector512<float> c0 = Vector512.LoadUnsafe(ref output, (nuint)(2 * Lanes)),
            c1 = Vector512.LoadUnsafe(ref output, (nuint)(2 * Lanes + second));
        Vector512<float> d0 = Vector512.LoadUnsafe(ref output, (nuint)(3 * Lanes)),
            d1 = Vector512.LoadUnsafe(ref output, (nuint)(3 * Lanes + second));
        Vector512<float> e0 = Vector512.LoadUnsafe(ref output, (nuint)(4 * Lanes)),
            e1 = Vector512.LoadUnsafe(ref output, (nuint)(4 * Lanes + second));
        Vector512<float> f0 = Vector512.LoadUnsafe(ref output, (nuint)(5 * Lanes)),
            f1 = Vector512.LoadUnsafe(ref output, (nuint)(5 * Lanes + second));
        Vector512<float> g0 = Vector512.LoadUnsafe(ref output, (nuint)(6 * Lanes)),
            g1 = Vector512.LoadUnsafe(ref output, (nuint)(6 * Lanes + second));
        Vector512<float> h0 = Vector512.LoadUnsafe(ref output, (nuint)(7 * Lanes)),
            h1 = Vector512.LoadUnsafe(ref output, (nuint)(7 * Lanes + second));
        for (int j = 0; j < count; j++)
        {
            Vector512<float> w0 = Vector512.LoadUnsafe(ref g),
                w1 = Vector512.LoadUnsafe(ref g, (nuint)second);
            var v = Vector512.Create(Unsafe.Add(ref x, at));
            a0 = Avx512F.FusedMultiplyAdd(v, w0, a0);
            a1 = Avx512F.FusedMultiplyAdd(v, w1, a1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 1));
            b0 = Avx512F.FusedMultiplyAdd(v, w0, b0);
            b1 = Avx512F.FusedMultiplyAdd(v, w1, b1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 2));
            c0 = Avx512F.FusedMultiplyAdd(v, w0, c0);
            c1 = Avx512F.FusedMultiplyAdd(v, w1, c1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 3));
            d0 = Avx512F.FusedMultiplyAdd(v, w0, d0);
            d1 = Avx512F.FusedMultiplyAdd(v, w1, d1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 4));
            e0 = Avx512F.FusedMultiplyAdd(v, w0, e0);
            e1 = Avx512F.FusedMultiplyAdd(v, w1, e1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 5));
            f0 = Avx512F.FusedMultiplyAdd(v, w0, f0);
            f1 = Avx512F.FusedMultiplyAdd(v, w1, f1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 6));
            g0 = Avx512F.FusedMultiplyAdd(v, w0, g0);
            g1 = Avx512F.FusedMultiplyAdd(v, w1, g1);
            v = Vector512.Create(Unsafe.Add(ref x, at + 7));
            h0 = Avx512F.FusedMultiplyAdd(v, w0, h0);
            h1 = Avx512F.FusedMultiplyAdd(v, w1, h1);
            at += stride;
            g = ref Unsafe.Add(ref g, Lanes);
        }

        a0.StoreUnsafe(ref output);
        a1.StoreUnsafe(ref output, (nuint)second);
        b0.StoreUnsafe(ref output, (nuint)(1 * Lanes));
        b1.StoreUnsafe(ref output, (nuint)(1 * Lanes + second));
        c0.StoreUnsafe(ref output, (nuint)(2 * Lanes));
        c1.StoreUnsafe(ref output, (nuint)(2 * Lanes + second));
        d0.StoreUnsafe(ref output, (nuint)(3 * Lanes));
        d1.StoreUnsafe(ref output, (nuint)(3 * Lanes + second));
        e0.StoreUnsafe(ref output, (nuint)(4 * Lanes));
        e1.StoreUnsafe(ref output, (nuint)(4 * Lanes + second));
        f0.StoreUnsafe(ref output, (nuint)(5 * Lanes));
        f1.StoreUnsafe(ref output, (nuint)(5 * Lanes + second));
        g0.StoreUnsafe(ref output, (nuint)(6 * Lanes));
        g1.StoreUnsafe(ref output, (nuint)(6 * Lanes + second));
        h0.StoreUnsafe(ref output, (nuint)(7 * Lanes));
        h1.StoreUnsafe(ref output, (nuint)(7 * Lanes + second));
    }
}
