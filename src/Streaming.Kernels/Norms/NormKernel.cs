using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Norms;

/// <summary>One increment of four rows of <see cref="IncrementNorm"/>; lengths are multiples of the vector.</summary>
/// <remarks>
/// An increment is only a few vectors, so the horizontal sums, the root and the division needed once per row would dominate:
/// four rows share these instructions. A single row is computed as four copies of itself (<see cref="NormRows"/>), so all
/// loads must precede all stores.
/// </remarks>
internal static class NormKernel<T>
    where T : struct, ISimd<T>
{
    /// <summary>Computes y and the statistics.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ref readonly NormForward job, ref readonly NormIncrement increment, NormRows rows)
    {
        nint length = increment.Length,
            begin = increment.Begin,
            row = rows.Stride(job.Dimension),
            next = rows.Stride(job.StatisticsPerRow);
        nint at = (nint)rows.First * job.Dimension + begin;
        ref float x = ref Unsafe.Add(ref job.Input, at),
            gain = ref Unsafe.Add(ref job.Gain, begin),
            bias = ref Unsafe.Add(ref job.Bias, begin),
            y = ref Unsafe.Add(ref job.Output, at);
        ref float statistics = ref Unsafe.Add(ref job.Statistics, (nint)rows.First * job.StatisticsPerRow + increment.Statistics);
        var share = Vector128.Create(increment.Share);

        T s0 = T.Load(ref x),
            s1 = T.Load(ref x, row),
            s2 = T.Load(ref x, 2 * row),
            s3 = T.Load(ref x, 3 * row);
        for (nint i = T.Count; i < length; i += T.Count)
        {
            s0 += T.Load(ref x, i);
            s1 += T.Load(ref x, i + row);
            s2 += T.Load(ref x, i + 2 * row);
            s3 += T.Load(ref x, i + 3 * row);
        }

        Vector128<float> mean = T.Sums(s0, s1, s2, s3) * share;
        T c0 = T.Create(mean[0]),
            c1 = T.Create(mean[1]),
            c2 = T.Create(mean[2]),
            c3 = T.Create(mean[3]);
        T q0 = T.Create(0f),
            q1 = q0,
            q2 = q0,
            q3 = q0;
        for (nint i = 0; i < length; i += T.Count)
        {
            T d0 = T.Load(ref x, i) - c0,
                d1 = T.Load(ref x, i + row) - c1,
                d2 = T.Load(ref x, i + 2 * row) - c2,
                d3 = T.Load(ref x, i + 3 * row) - c3;
            q0 = T.MultiplyAdd(d0, d0, q0);
            q1 = T.MultiplyAdd(d1, d1, q1);
            q2 = T.MultiplyAdd(d2, d2, q2);
            q3 = T.MultiplyAdd(d3, d3, q3);
        }

        Vector128<float> scale = Vector128.Create(1f) / Vector128.Sqrt(T.Sums(q0, q1, q2, q3) * share + Vector128.Create(job.Epsilon));
        T k0 = T.Create(scale[0]),
            k1 = T.Create(scale[1]),
            k2 = T.Create(scale[2]),
            k3 = T.Create(scale[3]);
        for (nint i = 0; i < length; i += T.Count)
        {
            T g = T.Load(ref gain, i),
                b = T.Load(ref bias, i);
            T y0 = T.MultiplyAdd((T.Load(ref x, i) - c0) * k0, g, b);
            T y1 = T.MultiplyAdd((T.Load(ref x, i + row) - c1) * k1, g, b);
            T y2 = T.MultiplyAdd((T.Load(ref x, i + 2 * row) - c2) * k2, g, b);
            T y3 = T.MultiplyAdd((T.Load(ref x, i + 3 * row) - c3) * k3, g, b);
            y0.Store(ref y, i);
            y1.Store(ref y, i + row);
            y2.Store(ref y, i + 2 * row);
            y3.Store(ref y, i + 3 * row);
        }

        statistics = mean[0];
        Unsafe.Add(ref statistics, 1) = scale[0];
        Unsafe.Add(ref statistics, next) = mean[1];
        Unsafe.Add(ref statistics, next + 1) = scale[1];
        Unsafe.Add(ref statistics, 2 * next) = mean[2];
        Unsafe.Add(ref statistics, 2 * next + 1) = scale[2];
        Unsafe.Add(ref statistics, 3 * next) = mean[3];
        Unsafe.Add(ref statistics, 3 * next + 1) = scale[3];
    }

    /// <summary>Computes the gradients.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(ref readonly NormBackward job, ref readonly NormIncrement increment, NormRows rows, int part)
    {
        nint length = increment.Length,
            begin = increment.Begin,
            row = rows.Stride(job.Dimension),
            next = rows.Stride(job.StatisticsPerRow);
        nint at = (nint)rows.First * job.Dimension + begin,
            sums = (nint)part * job.Dimension + begin;
        ref float x = ref Unsafe.Add(ref job.Input, at),
            dy = ref Unsafe.Add(ref job.OutputGradients, at),
            gain = ref Unsafe.Add(ref job.Gain, begin),
            dx = ref Unsafe.Add(ref job.InputGradients, at);
        ref float gainGradient = ref Unsafe.Add(ref job.GainGradients, sums),
            biasGradient = ref Unsafe.Add(ref job.BiasGradients, sums);
        ref float statistics = ref Unsafe.Add(ref job.Statistics, (nint)rows.First * job.StatisticsPerRow + increment.Statistics);
        var share = Vector128.Create(increment.Share);
        T weight = T.Create(rows.IsOne ? 0.25f : 1f);
        bool accumulate = job.Accumulate;

        T c0 = T.Create(statistics),
            k0 = T.Create(Unsafe.Add(ref statistics, 1));
        T c1 = T.Create(Unsafe.Add(ref statistics, next)),
            k1 = T.Create(Unsafe.Add(ref statistics, next + 1));
        T c2 = T.Create(Unsafe.Add(ref statistics, 2 * next)),
            k2 = T.Create(Unsafe.Add(ref statistics, 2 * next + 1));
        T c3 = T.Create(Unsafe.Add(ref statistics, 3 * next)),
            k3 = T.Create(Unsafe.Add(ref statistics, 3 * next + 1));
        T s0 = T.Create(0f),
            s1 = s0,
            s2 = s0,
            s3 = s0,
            p0 = s0,
            p1 = s0,
            p2 = s0,
            p3 = s0;
        for (nint i = 0; i < length; i += T.Count)
        {
            T g = T.Load(ref gain, i);
            T n0 = (T.Load(ref x, i) - c0) * k0,
                y0 = T.Load(ref dy, i),
                z0 = y0 * g;
            T n1 = (T.Load(ref x, i + row) - c1) * k1,
                y1 = T.Load(ref dy, i + row),
                z1 = y1 * g;
            T n2 = (T.Load(ref x, i + 2 * row) - c2) * k2,
                y2 = T.Load(ref dy, i + 2 * row),
                z2 = y2 * g;
            T n3 = (T.Load(ref x, i + 3 * row) - c3) * k3,
                y3 = T.Load(ref dy, i + 3 * row),
                z3 = y3 * g;
            s0 += z0;
            s1 += z1;
            s2 += z2;
            s3 += z3;
            p0 = T.MultiplyAdd(z0, n0, p0);
            p1 = T.MultiplyAdd(z1, n1, p1);
            p2 = T.MultiplyAdd(z2, n2, p2);
            p3 = T.MultiplyAdd(z3, n3, p3);
            T byGain = T.MultiplyAdd(y0, n0, y1 * n1) + T.MultiplyAdd(y2, n2, y3 * n3);
            T byBias = y0 + y1 + (y2 + y3);
            T.MultiplyAdd(byGain, weight, T.Load(ref gainGradient, i)).Store(ref gainGradient, i);
            T.MultiplyAdd(byBias, weight, T.Load(ref biasGradient, i)).Store(ref biasGradient, i);
        }

        Vector128<float> sum = T.Sums(s0, s1, s2, s3) * share,
            dot = T.Sums(p0, p1, p2, p3) * share;
        T m0 = T.Create(sum[0]),
            m1 = T.Create(sum[1]),
            m2 = T.Create(sum[2]),
            m3 = T.Create(sum[3]);
        T o0 = T.Create(dot[0]),
            o1 = T.Create(dot[1]),
            o2 = T.Create(dot[2]),
            o3 = T.Create(dot[3]);
        for (nint i = 0; i < length; i += T.Count)
        {
            T g = T.Load(ref gain, i);
            T g0 = T.NegateMultiplyAdd((T.Load(ref x, i) - c0) * k0, o0, T.Load(ref dy, i) * g - m0) * k0;
            T g1 = T.NegateMultiplyAdd((T.Load(ref x, i + row) - c1) * k1, o1, T.Load(ref dy, i + row) * g - m1) * k1;
            T g2 = T.NegateMultiplyAdd((T.Load(ref x, i + 2 * row) - c2) * k2, o2, T.Load(ref dy, i + 2 * row) * g - m2) * k2;
            T g3 = T.NegateMultiplyAdd((T.Load(ref x, i + 3 * row) - c3) * k3, o3, T.Load(ref dy, i + 3 * row) * g - m3) * k3;
            if (accumulate)
            {
                g0 += T.Load(ref dx, i);
                g1 += T.Load(ref dx, i + row);
                g2 += T.Load(ref dx, i + 2 * row);
                g3 += T.Load(ref dx, i + 3 * row);
            }

            g0.Store(ref dx, i);
            g1.Store(ref dx, i + row);
            g2.Store(ref dx, i + 2 * row);
            g3.Store(ref dx, i + 3 * row);
        }
    }
}
