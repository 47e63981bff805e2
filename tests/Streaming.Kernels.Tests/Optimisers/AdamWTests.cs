using Streaming.Kernels.Optimisers;
using Streaming.Kernels.Parallel;
using Xunit;

namespace Streaming.Kernels.Tests.Optimisers;

public class AdamWTests
{
    private static readonly AdamWStep Step = new()
    {
        LearningRate = 0.01f,
        WeightDecay = 0.1f,
        GradientScale = 0.5f,
    };

    [Fact]
    public void Update_EveryLengthTo256ThreeSteps_MatchesFloat64()
    {
        for (int length = 0; length <= 256; length++)
        {
            CheckDense(length, null);
        }
    }

    [Fact]
    public void Update_ManyParametersOnThreads_MatchesFloat64()
    {
        using Workers workers = new(2);
        CheckDense(50_001, workers);
    }

    [Fact]
    public void UpdateRows_AfterIdleSteps_MakesUpForThem()
    {
        using Workers workers = new(2);
        int dimension = 20;
        float[] table = RandomFloats.Normal(10 * dimension, 1),
            first = RandomFloats.Normal(10 * dimension, 2),
            second = [.. RandomFloats.Normal(10 * dimension, 3).Select(Math.Abs)];
        float[] before = [.. table],
            m = [.. first],
            v = [.. second],
            gradients = RandomFloats.Normal(3 * dimension, 4);
        int[] rows = [7, 0, 4],
            idle = [0, 3, 100];
        AdamWStep step = Step.At(9);
        AdamW.UpdateRows(rows, gradients, idle, dimension, table, first, second, in step, workers);
        double[] expected = Array.ConvertAll(before, x => (double)x);
        for (int i = 0; i < rows.Length; i++)
        {
            for (int d = 0; d < dimension; d++)
            {
                int at = (rows[i] * dimension) + d;
                double g = gradients[(i * dimension) + d] * 0.5;
                double moment = (m[at] * Math.Pow(0.9, idle[i] + 1)) + (0.1 * g),
                    square = (v[at] * Math.Pow(0.999, idle[i] + 1)) + (0.001 * g * g);
                expected[at] =
                    (before[at] * Math.Pow(1 - 0.001, idle[i] + 1))
                    - (0.01 * moment / (1 - Math.Pow(0.9, 9)) / (Math.Sqrt(square / (1 - Math.Pow(0.999, 9))) + 1e-8));
            }
        }

        Closeness.AssertClose(expected, table, 1e-6, "table");
        Assert.Equal(before[dimension..(4 * dimension)], table[dimension..(4 * dimension)]);
        Assert.Equal(m[dimension..(4 * dimension)], first[dimension..(4 * dimension)]);
    }

    [Fact]
    public void Update_SteadyState_AllocatesNothing()
    {
        using Workers workers = new(2);
        float[] p = new float[40_000],
            g = new float[40_000],
            m = new float[40_000],
            v = new float[40_000];
        void Once()
        {
            AdamW.Update(p, g, m, v, in Step, workers);
            AdamW.UpdateRows([1, 2], g.AsSpan(0, 40), [1, 2], 20, p, m, v, in Step, workers);
        }

        Assert.Equal(0, Allocations.OfARun(Once));
    }

    private static void CheckDense(int length, Workers? workers)
    {
        float[] p = RandomFloats.Normal(length, 1),
            m = new float[length],
            v = new float[length];
        double[] expected = Array.ConvertAll(p, x => (double)x),
            first = new double[length],
            second = new double[length];
        for (int t = 1; t <= 3; t++)
        {
            float[] g = RandomFloats.Normal(length, 10 + t);
            AdamWStep step = Step.At(t);
            AdamW.Update(p, g, m, v, in step, workers);
            for (int i = 0; i < length; i++)
            {
                double gradient = g[i] * 0.5;
                first[i] = (0.9 * first[i]) + (0.1 * gradient);
                second[i] = (0.999 * second[i]) + (0.001 * gradient * gradient);
                expected[i] -=
                    (0.01 * 0.1 * expected[i])
                    + (0.01 * (first[i] / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(second[i] / (1 - Math.Pow(0.999, t))) + 1e-8));
            }
        }

        Closeness.AssertClose(expected, p, 1e-6, "parameters");
    }
}
