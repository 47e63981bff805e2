using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>The widest block of <see cref="GemmKernel{T}"/>.</summary>
/// <remarks>Written on the plain vector type: through a wrapper the JIT moves every second accumulator to another register and
/// back, which on a CPU that issues four operations per cycle costs a quarter of the speed.</remarks>
internal static class GemmKernel512
{
    private const int Columns = GemmKernel<Simd512>.Columns;

    /// <summary>8 rows of A by 32 columns, added to the values at <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Multiply8(
        in GemmOperand a,
        ref float first,
        ref float panel,
        ref float c,
        nint ldc,
        ref float start,
        nint startStride,
        int depth
    )
    {
        nint second = Vector512<float>.Count,
            row = a.RowStride,
            step = a.StepStride,
            at = 0;
        Vector512<float> a0 = Vector512.LoadUnsafe(ref start),
            a1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> b0 = Vector512.LoadUnsafe(ref start),
            b1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> c0 = Vector512.LoadUnsafe(ref start),
            c1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> d0 = Vector512.LoadUnsafe(ref start),
            d1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> e0 = Vector512.LoadUnsafe(ref start),
            e1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> f0 = Vector512.LoadUnsafe(ref start),
            f1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> g0 = Vector512.LoadUnsafe(ref start),
            g1 = Vector512.LoadUnsafe(ref start, (nuint)second);
        start = ref Unsafe.Add(ref start, startStride);
        Vector512<float> h0 = Vector512.LoadUnsafe(ref start),
            h1 = Vector512.LoadUnsafe(ref start, (nuint)second);

        ref float p3 = ref Unsafe.Add(ref first, 3 * row);
        ref float p6 = ref Unsafe.Add(ref first, 6 * row);
        for (int d = 0; d < depth; d++)
        {
            Vector512<float> u0 = Vector512.LoadUnsafe(ref panel),
                u1 = Vector512.LoadUnsafe(ref panel, (nuint)second);
            var x = Vector512.Create(Unsafe.Add(ref first, at));
            a0 = Avx512F.FusedMultiplyAdd(x, u0, a0);
            a1 = Avx512F.FusedMultiplyAdd(x, u1, a1);
            x = Vector512.Create(Unsafe.Add(ref first, at + row));
            b0 = Avx512F.FusedMultiplyAdd(x, u0, b0);
            b1 = Avx512F.FusedMultiplyAdd(x, u1, b1);
            x = Vector512.Create(Unsafe.Add(ref first, at + 2 * row));
            c0 = Avx512F.FusedMultiplyAdd(x, u0, c0);
            c1 = Avx512F.FusedMultiplyAdd(x, u1, c1);
            x = Vector512.Create(Unsafe.Add(ref p3, at));
            d0 = Avx512F.FusedMultiplyAdd(x, u0, d0);
            d1 = Avx512F.FusedMultiplyAdd(x, u1, d1);
            x = Vector512.Create(Unsafe.Add(ref p3, at + row));
            e0 = Avx512F.FusedMultiplyAdd(x, u0, e0);
            e1 = Avx512F.FusedMultiplyAdd(x, u1, e1);
            x = Vector512.Create(Unsafe.Add(ref p3, at + 2 * row));
            f0 = Avx512F.FusedMultiplyAdd(x, u0, f0);
            f1 = Avx512F.FusedMultiplyAdd(x, u1, f1);
            x = Vector512.Create(Unsafe.Add(ref p6, at));
            g0 = Avx512F.FusedMultiplyAdd(x, u0, g0);
            g1 = Avx512F.FusedMultiplyAdd(x, u1, g1);
            x = Vector512.Create(Unsafe.Add(ref p6, at + row));
            h0 = Avx512F.FusedMultiplyAdd(x, u0, h0);
            h1 = Avx512F.FusedMultiplyAdd(x, u1, h1);
            at += step;
            panel = ref Unsafe.Add(ref panel, Columns);
        }

        a0.StoreUnsafe(ref c);
        a1.StoreUnsafe(ref c, (nuint)second);
        b0.StoreUnsafe(ref c, (nuint)ldc);
        b1.StoreUnsafe(ref c, (nuint)(ldc + second));
        c0.StoreUnsafe(ref c, (nuint)(2 * ldc));
        c1.StoreUnsafe(ref c, (nuint)(2 * ldc + second));
        d0.StoreUnsafe(ref c, (nuint)(3 * ldc));
        d1.StoreUnsafe(ref c, (nuint)(3 * ldc + second));
        e0.StoreUnsafe(ref c, (nuint)(4 * ldc));
        e1.StoreUnsafe(ref c, (nuint)(4 * ldc + second));
        f0.StoreUnsafe(ref c, (nuint)(5 * ldc));
        f1.StoreUnsafe(ref c, (nuint)(5 * ldc + second));
        g0.StoreUnsafe(ref c, (nuint)(6 * ldc));
        g1.StoreUnsafe(ref c, (nuint)(6 * ldc + second));
        h0.StoreUnsafe(ref c, (nuint)(7 * ldc));
        h1.StoreUnsafe(ref c, (nuint)(7 * ldc + second));
    }
}
