using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Simd;

/// <summary>
/// Horizontal sums, four vectors at a time. Two vectors are shuffled so that one addition halves both: nine instructions
/// where four separate sums take sixteen.
/// </summary>
internal static class LaneSums
{
    /// <summary>In each 128 bits the four sums of those 128 bits of a, b, c and d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Quarters(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<double> first = (Avx.UnpackLow(a, b) + Avx.UnpackHigh(a, b)).AsDouble(),
            second = (Avx.UnpackLow(c, d) + Avx.UnpackHigh(c, d)).AsDouble();
        return Avx.UnpackLow(first, second).AsSingle() + Avx.UnpackHigh(first, second).AsSingle();
    }

    /// <summary>In each 128 bits the four sums of those 128 bits of a, b, c and d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Quarters(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        Vector512<double> first = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsDouble(),
            second = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsDouble();
        return Avx512F.UnpackLow(first, second).AsSingle() + Avx512F.UnpackHigh(first, second).AsSingle();
    }
}
