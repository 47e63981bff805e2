using System.Numerics;
using Streaming.Kernels.Recurrence;
using Xunit;

namespace Streaming.Kernels.Tests.Recurrence;

public class NestedLruScanTests
{
    /// <summary>Increments of every kind: whole vectors of each size, less than one, and what is left over.</summary>
    public static TheoryData<int[], int> Shapes =>
        new()
        {
            { [1], 5 },
            { [16, 32, 64, 128], 50 },
            { [4, 8, 20, 32], 12 },
            { [3, 8, 31, 70], 7 },
            { [5, 6], 1 },
            { [4, 8], 0 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_EveryChannel_MatchesComplexFloat64(int[] widths, int steps)
    {
        Case c = new(widths, steps);
        float[] states = [.. c.Inputs];

        NestedLruScan.Forward(states, steps, widths, c.Lambda, c.Gamma);

        Closeness.AssertClose(c.ExpectedStates(), states, 1e-6, "states");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Backward_EveryChannel_MatchesComplexFloat64AndAddsItsSums(int[] widths, int steps)
    {
        Case c = new(widths, steps);
        float[] states = [.. c.Inputs],
            gradients = [.. c.Gradients];
        float[] lambdaSums = RandomFloats.Normal(2 * widths[^1], 8),
            stateSums = RandomFloats.Normal(2 * widths[^1], 9);
        (double[] expectedGradients, double[] expectedLambda, double[] expectedState) = c.ExpectedGradients(
            [.. lambdaSums.Select(value => (double)value)],
            [.. stateSums.Select(value => (double)value)]
        );
        NestedLruScan.Forward(states, steps, widths, c.Lambda, c.Gamma);

        NestedLruScan.Backward(states, gradients, steps, widths, c.Lambda, c.Gamma, lambdaSums, stateSums);

        Closeness.AssertClose(expectedGradients, gradients, 1e-6, "gradients");
        Closeness.AssertClose(expectedLambda, lambdaSums, 3e-6, "sums for λ");
        Closeness.AssertClose(expectedState, stateSums, 3e-6, "sums for γ");
    }

    /// <summary>The state of a narrower model is a prefix of the row.</summary>
    [Fact]
    public void Forward_NarrowerModel_GivesThePrefix()
    {
        Case wide = new([4, 12, 32], 9),
            narrow = wide.Prefix(2);
        float[] states = [.. wide.Inputs],
            prefix = [.. narrow.Inputs];

        NestedLruScan.Forward(states, 9, wide.Widths, wide.Lambda, wide.Gamma);
        NestedLruScan.Forward(prefix, 9, narrow.Widths, narrow.Lambda, narrow.Gamma);

        Assert.Equal(Enumerable.Range(0, 9).SelectMany(step => states[(step * 64)..((step * 64) + 24)]), prefix);
    }

    [Fact]
    public void Run_SpansTooShort_Throw()
    {
        int[] widths = [4, 8];
        float[] row = new float[16];

        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Forward(row, 2, widths, row, row));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Forward(row, -1, widths, row, row));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Forward(row, 1, widths, new float[15], row));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Forward(row, 1, widths, row, new float[15]));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Backward(row, new float[15], 1, widths, row, row, row, row));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Backward(row, row, 1, widths, row, row, new float[15], row));
        Assert.Throws<ArgumentOutOfRangeException>(() => NestedLruScan.Backward(row, row, 1, widths, row, row, row, new float[15]));
    }

    private sealed class Case
    {
        public Case(int[] widths, int steps)
        {
            (Widths, Steps) = (widths, steps);
            int d = widths[^1];
            Inputs = RandomFloats.Normal(steps * 2 * d, 1);
            Gradients = RandomFloats.Normal(steps * 2 * d, 2);
            (Lambda, Gamma) = (new float[2 * d], new float[2 * d]);
            for (int channel = 0; channel < d; channel++)
            {
                (int re, int im) = Places(channel);
                var lambda = Complex.FromPolarCoordinates(0.5 + (0.49 * channel / d), 0.1 * channel);
                (Lambda[re], Lambda[im]) = ((float)lambda.Real, (float)lambda.Imaginary);
                Gamma[re] = Gamma[im] = 0.3f + (0.01f * channel);
            }
        }

        private Case(int[] widths, int steps, float[] inputs, float[] lambda, float[] gamma) =>
            (Widths, Steps, Inputs, Gradients, Lambda, Gamma) = (widths, steps, inputs, [], lambda, gamma);

        public int[] Widths { get; }

        public int Steps { get; }

        public float[] Inputs { get; }

        public float[] Gradients { get; }

        public float[] Lambda { get; }

        public float[] Gamma { get; }

        public Case Prefix(int widths)
        {
            int row = 2 * Widths[^1],
                part = 2 * Widths[widths - 1];
            return new(
                Widths[..widths],
                Steps,
                [.. Enumerable.Range(0, Steps).SelectMany(step => Inputs[(step * row)..((step * row) + part)])],
                Lambda[..part],
                Gamma[..part]
            );
        }

        public double[] ExpectedStates()
        {
            double[] states = new double[Inputs.Length];
            for (int channel = 0; channel < Widths[^1]; channel++)
            {
                (int re, int im) = Places(channel);
                Complex state = Complex.Zero;
                for (int step = 0; step < Steps; step++)
                {
                    int row = step * 2 * Widths[^1];
                    state = (new Complex(Lambda[re], Lambda[im]) * state) + (Gamma[re] * new Complex(Inputs[row + re], Inputs[row + im]));
                    (states[row + re], states[row + im]) = (state.Real, state.Imaginary);
                }
            }

            return states;
        }

        public (double[] Gradients, double[] LambdaSums, double[] StateSums) ExpectedGradients(double[] lambdaSums, double[] stateSums)
        {
            double[] states = ExpectedStates(),
                gradients = new double[Inputs.Length];
            int size = 2 * Widths[^1];
            for (int channel = 0; channel < Widths[^1]; channel++)
            {
                (int re, int im) = Places(channel);
                Complex delta = Complex.Zero;
                for (int step = Steps - 1; step >= 0; step--)
                {
                    int row = step * size;
                    delta = new Complex(Gradients[row + re], Gradients[row + im]) + (new Complex(Lambda[re], -Lambda[im]) * delta);
                    (gradients[row + re], gradients[row + im]) = (Gamma[re] * delta.Real, Gamma[re] * delta.Imaginary);
                    Complex before = step == 0 ? Complex.Zero : new Complex(states[row - size + re], states[row - size + im]);
                    Complex share = delta * Complex.Conjugate(before);
                    (lambdaSums[re], lambdaSums[im]) = (lambdaSums[re] + share.Real, lambdaSums[im] + share.Imaginary);
                    (stateSums[re], stateSums[im]) = (
                        stateSums[re] + (delta.Real * states[row + re]),
                        stateSums[im] + (delta.Imaginary * states[row + im])
                    );
                }
            }

            return (gradients, lambdaSums, stateSums);
        }

        // Of each increment first the real parts, then the imaginary ones.
        private (int Re, int Im) Places(int channel)
        {
            int k = Array.FindIndex(Widths, width => channel < width),
                start = k == 0 ? 0 : Widths[k - 1];
            return (start + channel, start + channel + Widths[k] - start);
        }
    }
}
