using System.Runtime.CompilerServices;

namespace Streaming.Kernels;

/// <summary>One increment of one row of <see cref="IncrementNorm"/>; lengths are multiples of the vector.</summary>
internal static class NormKernel<T>
    where T : struct, ISimd<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(ref float x, ref float gain, ref float bias, ref float y, ref float statistics, nint length, float epsilon)
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
    public static void Backward(ref float x, ref float dy, ref float gain, ref float statistics, ref float dx, ref float gainGradient, ref float biasGradient, nint length, bool accumulate)
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
