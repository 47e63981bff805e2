using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Streaming.Kernels.Parallel;

namespace Streaming.Benchmarks;

/// <summary>Peak multiply-add throughput of the CPU: a loop on registers alone, on every thread.</summary>
internal static class MachinePeak
{
    private const int Steps = 3_000_000;
    private const int Chains = 12;

    /// <summary>Operations per second (a multiply-add is two) with the widest vectors.</summary>
    public static double Measure(Workers workers)
    {
        float[] sinks = new float[256];
        double best = double.PositiveInfinity;
        for (int round = 0; round < 7; round++)
        {
            best = Math.Min(best, Once(workers, sinks));
        }

        int lanes = Avx512F.IsSupported ? Vector512<float>.Count : Vector256<float>.Count;
        return 2.0 * workers.Threads * Steps * Chains * lanes / best;
    }

    private static double Once(Workers workers, float[] sinks) =>
        Timing.Once(() =>
            workers.Run(
                workers.Threads,
                ref sinks,
                static (ref float[] sinks, int part, int _) => sinks[part] = Avx512F.IsSupported ? Loop512() : Loop256()
            )
        );

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Loop512()
    {
        Vector512<float> x = Vector512.Create(0.999f),
            y = Vector512.Create(1e-6f);
        Vector512<float> a = x,
            b = x,
            c = x,
            d = x,
            e = x,
            f = x,
            g = x,
            h = x,
            i = x,
            j = x,
            k = x,
            l = x;
        for (int step = 0; step < Steps; step++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Loop256()
    {
        Vector256<float> x = Vector256.Create(0.999f),
            y = Vector256.Create(1e-6f);
        Vector256<float> a = x,
            b = x,
            c = x,
            d = x,
            e = x,
            f = x,
            g = x,
            h = x,
            i = x,
            j = x,
            k = x,
            l = x;
        for (int step = 0; step < Steps; step++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
