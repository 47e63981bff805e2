using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;
using Xunit;

namespace Streaming.Kernels.Tests.Elementwise;

public class ElementwiseTests
{
    private static readonly DropoutKey Key = new(7, 11, 2);

    [Fact]
    public void SiluGate_EveryLengthTo256_MatchesFloat64()
    {
        for (int length = 0; length <= 256; length++)
        {
            CheckSilu(length, null);
        }
    }

    [Fact]
    public void SiluGate_ManyElementsOnThreads_MatchesFloat64()
    {
        using Workers workers = new(2);
        CheckSilu(70_001, workers);
    }

    [Fact]
    public void SiluGate_LargeArguments_AreFinite()
    {
        float[] gate = [-1000, -90, 90, 1000],
            value = [1, 1, 1, 1],
            output = new float[4],
            gateGradients = new float[4],
            valueGradients = new float[4];
        SiluGate.Forward(gate, value, output);
        SiluGate.Backward(value, gate, value, gateGradients, valueGradients);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(Math.Max(gate[i], 0), output[i], 1e-30f);
            Assert.Equal(gate[i] > 0 ? 1f : 0f, gateGradients[i], 1e-30f);
        }
    }

    [Fact]
    public void Dropout_EveryLengthTo256_IsTheScalarMask()
    {
        DropoutMask mask = new(0.3f, Key);
        for (int length = 0; length <= 256; length++)
        {
            float[] input = RandomFloats.Normal(length, length),
                output = new float[length];
            Dropout.Apply(input, output, 0.3f, Key);
            for (int i = 0; i < length; i++)
            {
                Assert.Equal(mask.Keeps((uint)i) ? input[i] * (1f / 0.7f) : 0f, output[i]);
            }
        }
    }

    [Fact]
    public void Dropout_ManyElements_DropsTheRateIndependentlyOfThreads()
    {
        using Workers workers = new(2);
        float[] ones = new float[1_000_000],
            alone = new float[ones.Length],
            together = new float[ones.Length];
        Array.Fill(ones, 1f);
        Dropout.Apply(ones, alone, 0.25f, Key);
        Dropout.Apply(ones, together, 0.25f, Key, workers);
        Assert.Equal(alone, together);

        // Standard deviation of the dropped share is 0.00043; of the share of neighbours both dropped, 0.00024.
        Assert.Equal(0.25, Share(i => alone[i] == 0), 0.002);
        Assert.Equal(0.0625, Share(i => i > 0 && alone[i] == 0 && alone[i - 1] == 0), 0.0012);
        double Share(Func<int, bool> condition) => Enumerable.Range(0, ones.Length).Count(condition) / (double)ones.Length;
    }

    [Theory]
    [InlineData(8UL, 11L, 2)]
    [InlineData(7UL, 12L, 2)]
    [InlineData(7UL, 11L, 3)]
    public void Dropout_AnyPartOfTheKeyDiffers_MaskIsUnrelated(ulong seed, long step, int layer)
    {
        float[] ones = new float[100_000],
            a = new float[ones.Length],
            b = new float[ones.Length];
        Array.Fill(ones, 1f);
        Dropout.Apply(ones, a, 0.5f, Key);
        Dropout.Apply(ones, b, 0.5f, new DropoutKey(seed, step, layer));
        Assert.Equal(0.5, Enumerable.Range(0, ones.Length).Count(i => a[i] == b[i]) / (double)ones.Length, 0.01);
    }

    [Theory]
    [InlineData(new[] { 16 }, new[] { 0.4f })]
    [InlineData(new[] { 8, 16, 32, 64, 128 }, new[] { 0.2f, 0.2f, 0.2f, 0.2f, 0.2f })] // one pass
    [InlineData(new[] { 8, 16, 32, 64 }, new[] { 0.2f, 0.3f, 0.3f, 0.6f })] // two of the same in the middle
    [InlineData(new[] { 4, 8, 24, 40 }, new[] { 0f, 0f, 0.5f, 0.5f })]
    [InlineData(new[] { 1, 2, 3, 7 }, new[] { 0.1f, 0.1f, 0f, 0.9f })]
    public void NestedDropout_RatesOfIncrements_IsTheScalarMask(int[] widths, float[] rates)
    {
        const int rows = 9,
            firstRow = 5;
        int d = widths[^1];
        float[] input = RandomFloats.Normal(rows * d, 3),
            output = [.. input];
        NestedDropout.Apply(output, firstRow, widths, rates, Key);
        for (int i = 0; i < input.Length; i++)
        {
            float rate = rates[Array.FindIndex(widths, width => i % d < width)];
            Assert.Equal(new DropoutMask(rate, Key).Keeps((uint)((firstRow * d) + i)) ? input[i] * (1 / (1 - rate)) : 0f, output[i]);
        }
    }

    [Fact]
    public void Dropout_RateZero_CopiesTheInput()
    {
        float[] input = RandomFloats.Normal(40, 1),
            output = new float[40];
        Dropout.Apply(input, output, 0f, Key);
        Assert.Equal(input, output);
        Assert.Throws<ArgumentOutOfRangeException>(() => Dropout.Apply(input, output, 1f, Key));
    }

    [Fact]
    public void SquaredNorm_EveryLengthTo256AndMany_MatchesFloat64OnAnyThreads()
    {
        using Workers workers = new(2);
        foreach (int length in Enumerable.Range(0, 257).Append(100_003).Append(2_000_000))
        {
            float[] values = RandomFloats.Normal(length, length);
            double expected = values.Sum(x => (double)x * x),
                actual = SquaredNorm.Compute(values);
            Assert.Equal(expected, actual, 1e-12 * expected);
            Assert.Equal(actual, SquaredNorm.Compute(values, workers));
        }
    }

    [Fact]
    public void All_SteadyState_AllocateNothing()
    {
        using Workers workers = new(2);
        float[] a = new float[50_000],
            b = new float[50_000],
            c = new float[50_000];
        void Once()
        {
            SiluGate.Forward(a, b, c, workers);
            SiluGate.Backward(a, b, c, a, b, workers);
            Dropout.Apply(a, b, 0.1f, Key, workers);
            SquaredNorm.Compute(a, workers);
        }

        Assert.Equal(0, Allocations.OfARun(Once));
    }

    private static void CheckSilu(int length, Workers? workers)
    {
        float[] gate = RandomFloats.Normal(length, 1, 3),
            value = RandomFloats.Normal(length, 2),
            dy = RandomFloats.Normal(length, 3);
        float[] output = new float[length],
            gateGradients = new float[length],
            valueGradients = new float[length];
        SiluGate.Forward(gate, value, output, workers);
        SiluGate.Backward(dy, gate, value, gateGradients, valueGradients, workers);
        double[] y = new double[length],
            dg = new double[length],
            dv = new double[length];
        for (int i = 0; i < length; i++)
        {
            double g = gate[i],
                sigmoid = 1 / (1 + Math.Exp(-g));
            y[i] = g * sigmoid * value[i];
            dg[i] = dy[i] * (double)value[i] * sigmoid * (1 + (g * (1 - sigmoid)));
            dv[i] = dy[i] * g * sigmoid;
        }

        Closeness.AssertClose(y, output, 1e-6, "outputs");
        Closeness.AssertClose(dg, gateGradients, 1e-6, "gate gradients");
        Closeness.AssertClose(dv, valueGradients, 1e-6, "value gradients");
    }
}
