using System.Runtime.CompilerServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>The inner loops of <see cref="Gemm"/>: rows of A, read in place, times a packed panel of 32 columns of B.</summary>
/// <remarks>Every element is one chain of multiply-adds over the depth, whichever block computes it, so the division of work
/// among threads changes no bit.</remarks>
internal static class GemmKernel<T>
    where T : struct, ISimd<T>
{
    /// <summary>Columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>C[rows × 32] = start + A[rows × depth] · panel[depth × 32].</summary>
    /// <param name="a">Distances within A.</param>
    /// <param name="first">First element of the rows of A.</param>
    /// <param name="panel">Packed columns of B.</param>
    /// <param name="c">First element of the rows of C.</param>
    /// <param name="ldc">Distance between rows of C.</param>
    /// <param name="start">Start value of the sums: C itself, or one row for all (a bias, zeros) at stride 0.</param>
    /// <param name="startStride">Distance between rows of <paramref name="start"/>.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="depth">Columns of A.</param>
    public static void Multiply(
        in GemmOperand a,
        ref float first,
        ref float panel,
        ref float c,
        nint ldc,
        ref float start,
        nint startStride,
        int rows,
        int depth
    )
    {
        for (int lane = 0; lane < Columns; lane += 2 * T.Count)
        {
            ref float p = ref Unsafe.Add(ref panel, lane);
            int r = 0;
            for (; T.HasManyRegisters && r + 8 <= rows; r += 8)
            {
                GemmKernel512.Multiply8(
                    in a,
                    ref Unsafe.Add(ref first, r * a.RowStride),
                    ref p,
                    ref Unsafe.Add(ref c, r * ldc + lane),
                    ldc,
                    ref Unsafe.Add(ref start, r * startStride + lane),
                    startStride,
                    depth
                );
            }

            for (; r + 4 <= rows; r += 4)
            {
                Block4(
                    in a,
                    ref Unsafe.Add(ref first, r * a.RowStride),
                    ref p,
                    ref Unsafe.Add(ref c, r * ldc + lane),
                    ldc,
                    ref Unsafe.Add(ref start, r * startStride + lane),
                    startStride,
                    depth
                );
            }

            for (; r < rows; r++)
            {
                Block1(
                    in a,
                    ref Unsafe.Add(ref first, r * a.RowStride),
                    ref p,
                    ref Unsafe.Add(ref c, r * ldc + lane),
                    ref Unsafe.Add(ref start, r * startStride + lane),
                    depth
                );
            }
        }
    }

    /// <summary>4 rows of A by 2·Count columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Block4(
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
        nint second = T.Count,
            row = a.RowStride,
            step = a.StepStride,
            at = 0;
        T a0 = T.Load(ref start),
            a1 = T.Load(ref start, second);
        T b0 = T.Load(ref start, startStride),
            b1 = T.Load(ref start, startStride + second);
        T c0 = T.Load(ref start, 2 * startStride),
            c1 = T.Load(ref start, 2 * startStride + second);
        T d0 = T.Load(ref start, 3 * startStride),
            d1 = T.Load(ref start, 3 * startStride + second);
        ref float p3 = ref Unsafe.Add(ref first, 3 * row);
        for (int d = 0; d < depth; d++)
        {
            T u0 = T.Load(ref panel),
                u1 = T.Load(ref panel, second);
            T x = T.Create(Unsafe.Add(ref first, at));
            a0 = T.MultiplyAdd(x, u0, a0);
            a1 = T.MultiplyAdd(x, u1, a1);
            x = T.Create(Unsafe.Add(ref first, at + row));
            b0 = T.MultiplyAdd(x, u0, b0);
            b1 = T.MultiplyAdd(x, u1, b1);
            x = T.Create(Unsafe.Add(ref first, at + 2 * row));
            c0 = T.MultiplyAdd(x, u0, c0);
            c1 = T.MultiplyAdd(x, u1, c1);
            x = T.Create(Unsafe.Add(ref p3, at));
            d0 = T.MultiplyAdd(x, u0, d0);
            d1 = T.MultiplyAdd(x, u1, d1);
            at += step;
            panel = ref Unsafe.Add(ref panel, Columns);
        }

        a0.Store(ref c);
        a1.Store(ref c, second);
        b0.Store(ref c, ldc);
        b1.Store(ref c, ldc + second);
        c0.Store(ref c, 2 * ldc);
        c1.Store(ref c, 2 * ldc + second);
        d0.Store(ref c, 3 * ldc);
        d1.Store(ref c, 3 * ldc + second);
    }

    /// <summary>1 row of A by 2·Count columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Block1(in GemmOperand a, ref float first, ref float panel, ref float c, ref float start, int depth)
    {
        nint second = T.Count,
            step = a.StepStride,
            at = 0;
        T a0 = T.Load(ref start),
            a1 = T.Load(ref start, second);

        for (int d = 0; d < depth; d++)
        {
            T u0 = T.Load(ref panel),
                u1 = T.Load(ref panel, second);
            T x = T.Create(Unsafe.Add(ref first, at));
            a0 = T.MultiplyAdd(x, u0, a0);
            a1 = T.MultiplyAdd(x, u1, a1);
            at += step;
            panel = ref Unsafe.Add(ref panel, Columns);
        }

        a0.Store(ref c);
        a1.Store(ref c, second);
    }
}
