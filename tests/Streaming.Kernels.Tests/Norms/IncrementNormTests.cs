using Streaming.Kernels.Norms;
using Streaming.Kernels.Parallel;
using Xunit;

namespace Streaming.Kernels.Tests.Norms;

public class IncrementNormTests
{
    public static TheoryData<int, int[]> Shapes =>
        new()
        {
            { 1, [1] },
            { 5, [4, 12, 20] },
            { 40, [16, 32, 64, 128] },
            { 33, [8, 16, 32] },
            { 7, [3, 10] },
            { 300, [4, 8] },
            { 0, [4] },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAndBackward_AllShapes_MatchFloat64(int rows, int[] widths)
    {
        foreach (bool accumulate in new[] { false, true })
        {
            Check(rows, widths, accumulate);
        }
    }

    [Fact]
    public void Forward_InnerIncrement_DoesNotSeeTheOuter()
    {
        float[] x = RandomFloats.Normal(32, 1),
            changed = [.. x];
        changed[20] = 100;
        Assert.Equal(Forward(x)[..16], Forward(changed)[..16]);

        static float[] Forward(float[] x)
        {
            IncrementNorm norm = new([8, 16, 32]);
            float[] gain = new float[32],
                y = new float[32];
            Array.Fill(gain, 1f);
            norm.Forward(x, gain, new float[32], y, new float[norm.StatisticsPerRow]);
            return y;
        }
    }

    [Fact]
    public void Backward_OneOrThreeThreads_SameBitsAndNoAllocation()
    {
        using Workers workers = new(3);
        int[] widths = [8, 24];
        float[] x = RandomFloats.Normal(200 * 24, 1),
            dy = RandomFloats.Normal(200 * 24, 2),
            gain = RandomFloats.Normal(24, 3);
        float[] Run(Workers? team)
        {
            IncrementNorm norm = new(widths, workers: team);
            float[] y = new float[x.Length],
                statistics = new float[200 * norm.StatisticsPerRow],
                dx = new float[x.Length],
                gainGradient = new float[24],
                biasGradient = new float[24];
            norm.Forward(x, gain, new float[24], y, statistics);
            norm.Backward(dy, x, gain, statistics, dx, gainGradient, biasGradient);
            float[] result = [.. y, .. dx, .. gainGradient, .. biasGradient];
            Assert.Equal(0, Allocations.OfARun(() => norm.Backward(dy, x, gain, statistics, dx, gainGradient, biasGradient)));
            return result;
        }

        Assert.Equal(Run(null), Run(workers));
    }

    [Fact]
    public void ForwardAndBackward_RowAlone_SameBitsAsInCompany()
    {
        // Lengths 1, 3, 4, 8, 8, 16, 32 and 64: every vector, and one or several of the widest.
        int[] widths = [1, 4, 8, 16, 24, 40, 72, 136];
        const int d = 136;
        IncrementNorm norm = new(widths);
        float[] gain = RandomFloats.Normal(d, 1),
            bias = RandomFloats.Normal(d, 2);
        for (int rows = 1; rows <= 35; rows++)
        {
            float[] x = RandomFloats.Normal(rows * d, 3),
                dy = RandomFloats.Normal(rows * d, 4),
                start = RandomFloats.Normal(rows * d, 5);
            float[] together = Run(x, dy, [.. start]);
            for (int row = 0; row < rows; row++)
            {
                Range own = (row * d)..((row + 1) * d);
                float[] alone = Run(x[own], dy[own], start[own]),
                    inPlace = x[own];
                norm.Forward(inPlace, gain, bias, inPlace, new float[norm.StatisticsPerRow]);
                Assert.Equal(together[own], alone[..d]);
                Assert.Equal(together[own], inPlace);
                Assert.Equal(together[((rows + row) * d)..((rows + row + 1) * d)], alone[d..]);
            }
        }

        float[] Run(float[] x, float[] dy, float[] dx)
        {
            float[] y = new float[x.Length],
                statistics = new float[x.Length / d * norm.StatisticsPerRow];
            norm.Forward(x, gain, bias, y, statistics);
            norm.Backward(dy, x, gain, statistics, dx, new float[d], new float[d], accumulate: true);
            return [.. y, .. dx];
        }
    }

    private static void Check(int rows, int[] widths, bool accumulate)
    {
        int dimension = widths[^1];
        float[] x = RandomFloats.Normal(rows * dimension, 1, 2),
            gain = RandomFloats.Normal(dimension, 2),
            bias = RandomFloats.Normal(dimension, 3),
            dy = RandomFloats.Normal(rows * dimension, 4);
        IncrementNorm norm = new(widths, 1e-3f);
        float[] y = new float[x.Length],
            statistics = new float[rows * norm.StatisticsPerRow],
            dx = RandomFloats.Normal(x.Length, 5),
            start = [.. dx];
        float[] gainGradient = new float[dimension],
            biasGradient = new float[dimension];
        norm.Forward(x, gain, bias, y, statistics);
        norm.Backward(dy, x, gain, statistics, dx, gainGradient, biasGradient, accumulate);

        double[] expectedY = new double[x.Length],
            expectedDx = new double[x.Length],
            expectedGain = new double[dimension],
            expectedBias = new double[dimension];
        for (int row = 0; row < rows; row++)
        {
            for (int k = 0, begin = 0; k < widths.Length; begin = widths[k++])
            {
                Increment(row * dimension, begin, widths[k]);
            }
        }

        Closeness.AssertClose(expectedY, y, 2e-6, "outputs");
        Closeness.AssertClose(expectedDx, dx, 1e-5, "input gradients", 1e-5);
        Closeness.AssertClose(expectedGain, gainGradient, 1e-5, "gain gradient", 1e-5);
        Closeness.AssertClose(expectedBias, biasGradient, 1e-5, "bias gradient", 1e-5);

        void Increment(int row, int begin, int end)
        {
            int length = end - begin;
            double mean = 0,
                variance = 0,
                sum = 0,
                dot = 0;
            for (int i = begin; i < end; i++)
            {
                mean += x[row + i] / (double)length;
            }

            for (int i = begin; i < end; i++)
            {
                variance += (x[row + i] - mean) * (x[row + i] - mean) / length;
            }

            double scale = 1 / Math.Sqrt(variance + 1e-3f);
            for (int i = begin; i < end; i++)
            {
                double normalised = (x[row + i] - mean) * scale;
                expectedY[row + i] = (normalised * gain[i]) + bias[i];
                expectedGain[i] += dy[row + i] * normalised;
                expectedBias[i] += dy[row + i];
                sum += dy[row + i] * (double)gain[i] / length;
                dot += dy[row + i] * (double)gain[i] * normalised / length;
            }

            for (int i = begin; i < end; i++)
            {
                double normalised = (x[row + i] - mean) * scale;
                expectedDx[row + i] =
                    (accumulate ? start[row + i] : 0) + (scale * ((dy[row + i] * (double)gain[i]) - sum - (normalised * dot)));
            }
        }
    }
}
