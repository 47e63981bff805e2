using System.Runtime.CompilerServices;

namespace Streaming.Kernels;

/// <summary>One increment of the rows of <see cref="IncrementNorm"/>; lengths are multiples of the vector.</summary>
/// <remarks>
/// Four rows at a time: an increment is a few vectors, and the sums across a vector, the root and the division that each
/// row waits for overlap. Every row is computed the same way, to the bit, in whatever company.
/// </remarks>
internal static class NormKernel<T>
    where T : struct, ISimd<T>
{
    /// <summary>y and statistics of some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ref float x, ref float gain, ref float bias, ref float y, ref float statistics, in NormRows rows, float epsilon)
    {
        nint row = rows.RowLength, next = rows.StatisticsLength;
        int r = 0;
        for (; r + 4 <= rows.Count; r += 4)
        {
            Forward4(ref x, row, ref gain, ref bias, ref y, ref statistics, next, rows.Length, epsilon);
            x = ref Unsafe.Add(ref x, 4 * row);
            y = ref Unsafe.Add(ref y, 4 * row);
            statistics = ref Unsafe.Add(ref statistics, 4 * next);
        }

        for (; r < rows.Count; r++)
        {
            Forward1(ref x, ref gain, ref bias, ref y, ref statistics, rows.Length, epsilon);
            x = ref Unsafe.Add(ref x, row);
            y = ref Unsafe.Add(ref y, row);
            statistics = ref Unsafe.Add(ref statistics, next);
        }
    }

    /// <summary>Gradients of some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(ref float x, ref float dy, ref float gain, ref float statistics, ref float dx, ref float gainGradient, ref float biasGradient, in NormRows rows, bool accumulate)
    {
        nint row = rows.RowLength, next = rows.StatisticsLength;
        int r = 0;
        for (; r + 4 <= rows.Count; r += 4)
        {
            Backward4(ref x, ref dy, row, ref gain, ref statistics, next, ref dx, ref gainGradient, ref biasGradient, rows.Length, accumulate);
            x = ref Unsafe.Add(ref x, 4 * row);
            dy = ref Unsafe.Add(ref dy, 4 * row);
            dx = ref Unsafe.Add(ref dx, 4 * row);
            statistics = ref Unsafe.Add(ref statistics, 4 * next);
        }

        for (; r < rows.Count; r++)
        {
            Backward1(ref x, ref dy, ref gain, ref statistics, ref dx, ref gainGradient, ref biasGradient, rows.Length, accumulate);
            x = ref Unsafe.Add(ref x, row);
            dy = ref Unsafe.Add(ref dy, row);
            dx = ref Unsafe.Add(ref dx, row);
            statistics = ref Unsafe.Add(ref statistics, next);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward4(ref float x, nint row, ref float gain, ref float bias, ref float y, ref float statistics, nint next, nint length, float epsilon)
    {
        T s0 = T.Create(0f), s1 = s0, s2 = s0, s3 = s0;
        for (nint i = 0; i < length; i += T.Count)
        {
            s0 += T.Load(ref x, i);
            s1 += T.Load(ref x, i + row);
            s2 += T.Load(ref x, i + 2 * row);
            s3 += T.Load(ref x, i + 3 * row);
        }

        float m0 = T.Sum(s0) / length, m1 = T.Sum(s1) / length, m2 = T.Sum(s2) / length, m3 = T.Sum(s3) / length;
        T c0 = T.Create(m0), c1 = T.Create(m1), c2 = T.Create(m2), c3 = T.Create(m3);
        T q0 = T.Create(0f), q1 = q0, q2 = q0, q3 = q0;
        for (nint i = 0; i < length; i += T.Count)
        {
            T d0 = T.Load(ref x, i) - c0, d1 = T.Load(ref x, i + row) - c1, d2 = T.Load(ref x, i + 2 * row) - c2, d3 = T.Load(ref x, i + 3 * row) - c3;
            q0 = T.MultiplyAdd(d0, d0, q0);
            q1 = T.MultiplyAdd(d1, d1, q1);
            q2 = T.MultiplyAdd(d2, d2, q2);
            q3 = T.MultiplyAdd(d3, d3, q3);
        }

        float v0 = 1f / MathF.Sqrt(T.Sum(q0) / length + epsilon), v1 = 1f / MathF.Sqrt(T.Sum(q1) / length + epsilon), v2 = 1f / MathF.Sqrt(T.Sum(q2) / length + epsilon), v3 = 1f / MathF.Sqrt(T.Sum(q3) / length + epsilon);
        T k0 = T.Create(v0), k1 = T.Create(v1), k2 = T.Create(v2), k3 = T.Create(v3);
        for (nint i = 0; i < length; i += T.Count)
        {
            T g = T.Load(ref gain, i), b = T.Load(ref bias, i);
            T.MultiplyAdd((T.Load(ref x, i) - c0) * k0, g, b).Store(ref y, i);
            T.MultiplyAdd((T.Load(ref x, i + row) - c1) * k1, g, b).Store(ref y, i + row);
            T.MultiplyAdd((T.Load(ref x, i + 2 * row) - c2) * k2, g, b).Store(ref y, i + 2 * row);
            T.MultiplyAdd((T.Load(ref x, i + 3 * row) - c3) * k3, g, b).Store(ref y, i + 3 * row);
        }

        statistics = m0;
        Unsafe.Add(ref statistics, 1) = v0;
        Unsafe.Add(ref statistics, next) = m1;
        Unsafe.Add(ref statistics, next + 1) = v1;
        Unsafe.Add(ref statistics, 2 * next) = m2;
        Unsafe.Add(ref statistics, 2 * next + 1) = v2;
        Unsafe.Add(ref statistics, 3 * next) = m3;
        Unsafe.Add(ref statistics, 3 * next + 1) = v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward4(ref float x, ref float dy, nint row, ref float gain, ref float statistics, nint next, ref float dx, ref float gainGradient, ref float biasGradient, nint length, bool accumulate)
    {
        T c0 = T.Create(statistics), k0 = T.Create(Unsafe.Add(ref statistics, 1));
        T c1 = T.Create(Unsafe.Add(ref statistics, next)), k1 = T.Create(Unsafe.Add(ref statistics, next + 1));
        T c2 = T.Create(Unsafe.Add(ref statistics, 2 * next)), k2 = T.Create(Unsafe.Add(ref statistics, 2 * next + 1));
        T c3 = T.Create(Unsafe.Add(ref statistics, 3 * next)), k3 = T.Create(Unsafe.Add(ref statistics, 3 * next + 1));
        T s0 = T.Create(0f), s1 = s0, s2 = s0, s3 = s0, p0 = s0, p1 = s0, p2 = s0, p3 = s0;
        for (nint i = 0; i < length; i += T.Count)
        {
            T g = T.Load(ref gain, i), byGain = T.Load(ref gainGradient, i), byBias = T.Load(ref biasGradient, i);
            T n0 = (T.Load(ref x, i) - c0) * k0, y0 = T.Load(ref dy, i), z0 = y0 * g;
            s0 += z0;
            p0 = T.MultiplyAdd(z0, n0, p0);
            byGain = T.MultiplyAdd(y0, n0, byGain);
            byBias = y0 + byBias;
            T n1 = (T.Load(ref x, i + row) - c1) * k1, y1 = T.Load(ref dy, i + row), z1 = y1 * g;
            s1 += z1;
            p1 = T.MultiplyAdd(z1, n1, p1);
            byGain = T.MultiplyAdd(y1, n1, byGain);
            byBias = y1 + byBias;
            T n2 = (T.Load(ref x, i + 2 * row) - c2) * k2, y2 = T.Load(ref dy, i + 2 * row), z2 = y2 * g;
            s2 += z2;
            p2 = T.MultiplyAdd(z2, n2, p2);
            byGain = T.MultiplyAdd(y2, n2, byGain);
            byBias = y2 + byBias;
            T n3 = (T.Load(ref x, i + 3 * row) - c3) * k3, y3 = T.Load(ref dy, i + 3 * row), z3 = y3 * g;
            s3 += z3;
            p3 = T.MultiplyAdd(z3, n3, p3);
            byGain = T.MultiplyAdd(y3, n3, byGain);
            byBias = y3 + byBias;
            byGain.Store(ref gainGradient, i);
            byBias.Store(ref biasGradient, i);
        }

        T m0 = T.Create(T.Sum(s0) / length), m1 = T.Create(T.Sum(s1) / length), m2 = T.Create(T.Sum(s2) / length), m3 = T.Create(T.Sum(s3) / length);
        T o0 = T.Create(T.Sum(p0) / length), o1 = T.Create(T.Sum(p1) / length), o2 = T.Create(T.Sum(p2) / length), o3 = T.Create(T.Sum(p3) / length);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward1(ref float x, ref float gain, ref float bias, ref float y, ref float statistics, nint length, float epsilon)
    {
        T sum = T.Create(0f);
        for (nint i = 0; i < length; i += T.Count)
        {
            sum += T.Load(ref x, i);
        }

        float mean = T.Sum(sum) / length;
        T centre = T.Create(mean), squares = T.Create(0f);
        for (nint i = 0; i < length; i += T.Count)
        {
            T difference = T.Load(ref x, i) - centre;
            squares = T.MultiplyAdd(difference, difference, squares);
        }

        float inverse = 1f / MathF.Sqrt(T.Sum(squares) / length + epsilon);
        T scale = T.Create(inverse);
        for (nint i = 0; i < length; i += T.Count)
        {
            T normalised = (T.Load(ref x, i) - centre) * scale;
            T.MultiplyAdd(normalised, T.Load(ref gain, i), T.Load(ref bias, i)).Store(ref y, i);
        }

        statistics = mean;
        Unsafe.Add(ref statistics, 1) = inverse;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward1(ref float x, ref float dy, ref float gain, ref float statistics, ref float dx, ref float gainGradient, ref float biasGradient, nint length, bool accumulate)
    {
        T centre = T.Create(statistics), scale = T.Create(Unsafe.Add(ref statistics, 1));
        T sum = T.Create(0f), dot = sum;
        for (nint i = 0; i < length; i += T.Count)
        {
            T normalised = (T.Load(ref x, i) - centre) * scale, gradient = T.Load(ref dy, i);
            T scaled = gradient * T.Load(ref gain, i);
            sum += scaled;
            dot = T.MultiplyAdd(scaled, normalised, dot);
            T.MultiplyAdd(gradient, normalised, T.Load(ref gainGradient, i)).Store(ref gainGradient, i);
            (gradient + T.Load(ref biasGradient, i)).Store(ref biasGradient, i);
        }

        T meanGradient = T.Create(T.Sum(sum) / length), meanDot = T.Create(T.Sum(dot) / length);
        for (nint i = 0; i < length; i += T.Count)
        {
            T normalised = (T.Load(ref x, i) - centre) * scale;
            T scaled = T.Load(ref dy, i) * T.Load(ref gain, i) - meanGradient;
            T gradient = T.NegateMultiplyAdd(normalised, meanDot, scaled) * scale;
            if (accumulate)
            {
                gradient += T.Load(ref dx, i);
            }

            gradient.Store(ref dx, i);
        }
    }
}
