using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

/// <summary>Derivatives by central differences: what a layer's backward pass is compared with.</summary>
internal static class Gradients
{
    // Float32 forward passes: a smaller step is drowned by rounding, a larger one by curvature.
    private const float Step = 1f / 256;

    public static float[] Values(Random random, int count)
    {
        float[] values = new float[count];
        foreach (ref float value in values.AsSpan())
        {
            value = (2 * random.NextSingle()) - 1;
        }

        return values;
    }

    /// <summary>Fills all parameters of a set with random values.</summary>
    public static ParameterSet Allocate(ParameterSet set, Random random, float scale = 0.5f)
    {
        set.Allocate();
        foreach (Parameter parameter in set.All)
        {
            foreach (ref float value in set.Value(parameter))
            {
                value = scale * ((2 * random.NextSingle()) - 1);
            }
        }

        return set;
    }

    /// <summary>Σ weights · outputs, in float64: the scalar that is differentiated.</summary>
    public static double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> weights)
    {
        double sum = 0;
        for (int i = 0; i < outputs.Length; i++)
        {
            sum += (double)outputs[i] * weights[i];
        }

        return sum;
    }

    /// <summary>Compares the gradient by an array with the differences of the loss.</summary>
    public static void Check(
        string what,
        float[] values,
        int offset,
        ReadOnlySpan<float> gradient,
        Func<double> loss,
        double tolerance = 2e-3
    )
    {
        for (int i = 0; i < gradient.Length; i++)
        {
            float kept = values[offset + i];
            values[offset + i] = kept + Step;
            double above = loss();
            values[offset + i] = kept - Step;
            double below = loss();
            values[offset + i] = kept;
            double expected = (above - below) / (2 * Step);
            Assert.True(
                Math.Abs(expected - gradient[i]) <= tolerance * Math.Max(1, Math.Abs(expected)),
                $"{what}[{i}]: {gradient[i]}, by differences {expected}"
            );
        }
    }

    /// <summary>Compares the gradient by every parameter of a set.</summary>
    public static void Check(ParameterSet set, Lane lane, Func<double> loss, double tolerance = 2e-3)
    {
        foreach (Parameter parameter in set.All)
        {
            Check(parameter.Name, set.Values, parameter.Offset, lane.Gradient(parameter), loss, tolerance);
        }
    }
}
