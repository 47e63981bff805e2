using System.Numerics;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Recurrence;
using Xunit;

namespace Streaming.Kernels.Tests.Recurrence;

public class LruScanTests
{
    [Fact]
    public void ForwardAndBackward_EveryChannelCountTo70_MatchComplexFloat64()
    {
        for (int channels = 1; channels <= 70; channels++)
        {
            Check(channels, [3, 0, 1, 7], inPlace: channels % 2 == 0, workers: null);
        }
    }

    [Fact]
    public void ForwardAndBackward_ManySequences_MatchComplexFloat64()
    {
        using Workers workers = new(2);
        Random random = new(1);
        Check(20, [.. Enumerable.Range(0, 100).Select(_ => random.Next(60))], inPlace: false, workers);
        Check(128, [50, 50, 50], inPlace: true, workers);
        Check(4, [], inPlace: false, workers);
        Check(4, [0, 0], inPlace: false, workers);
        Check(4, [256], inPlace: false, workers);
    }

    [Fact]
    public void Backward_OneOrThreeThreads_GivesTheSameBits()
    {
        using Workers workers = new(3);
        int[] lengths = [.. Enumerable.Range(0, 77).Select(i => i % 9)];
        Assert.Equal(Run(33, lengths, false, null), Run(33, lengths, false, workers));
    }

    [Fact]
    public void ForwardAndBackward_SteadyState_AllocateNothing()
    {
        using Workers workers = new(2);
        LruScan scan = new(16, workers);
        float[] x = new float[40 * 32],
            states = new float[40 * 32],
            lambda = new float[32],
            gradient = new float[32];
        int[] offsets = [0, 10, 25, 40];
        void Once()
        {
            scan.Forward(x, lambda, offsets, states);
            scan.Backward(x, states, lambda, offsets, x, gradient);
        }

        Assert.Equal(0, Allocations.OfARun(Once));
    }

    [Fact]
    public void Forward_OffsetsBeyondTheInput_Throw()
    {
        LruScan scan = new(4);
        Assert.Throws<ArgumentOutOfRangeException>(() => scan.Forward(new float[16], new float[8], [0, 3], new float[24]));
        Assert.Throws<ArgumentOutOfRangeException>(() => scan.Forward(new float[32], new float[8], [0, 3, 2], new float[32]));
    }

    private static float[] Run(int channels, int[] lengths, bool inPlace, Workers? workers) =>
        Outputs(channels, lengths, inPlace, workers).SelectMany(x => x).ToArray();

    private static float[][] Outputs(int channels, int[] lengths, bool inPlace, Workers? workers)
    {
        (float[] x, float[] lambda, float[] gradients, int[] offsets) = Data(channels, lengths);
        float[] states = inPlace ? x : new float[x.Length],
            inputGradients = inPlace ? gradients : new float[x.Length];
        float[] lambdaGradient = new float[2 * channels];
        lambdaGradient[0] = 1;
        LruScan scan = new(channels, workers);
        scan.Forward(x, lambda, offsets, states);
        scan.Backward(gradients, states, lambda, offsets, inputGradients, lambdaGradient);
        return [states, inputGradients, lambdaGradient];
    }

    private static (float[] X, float[] Lambda, float[] Gradients, int[] Offsets) Data(int channels, int[] lengths)
    {
        int[] offsets = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++)
        {
            offsets[i + 1] = offsets[i] + lengths[i];
        }

        float[] lambda = new float[2 * channels];
        for (int i = 0; i < channels; i++)
        {
            double modulus = 0.5 + 0.49 * i / channels,
                phase = 0.1 * i;
            lambda[i] = (float)(modulus * Math.Cos(phase));
            lambda[channels + i] = (float)(modulus * Math.Sin(phase));
        }

        int size = offsets[^1] * 2 * channels;
        return (RandomFloats.Normal(size, channels), lambda, RandomFloats.Normal(size, channels + 1), offsets);
    }

    private static void Check(int channels, int[] lengths, bool inPlace, Workers? workers)
    {
        (float[] x, float[] lambda, float[] gradients, int[] offsets) = Data(channels, lengths);
        double[] states = new double[x.Length],
            inputGradients = new double[x.Length],
            lambdaGradient = new double[2 * channels];
        lambdaGradient[0] = 1;
        for (int i = 0; i < channels; i++)
        {
            Complex factor = new(lambda[i], lambda[channels + i]);
            for (int sequence = 0; sequence < lengths.Length; sequence++)
            {
                Channel(
                    factor,
                    i,
                    channels,
                    offsets[sequence],
                    offsets[sequence + 1],
                    x,
                    gradients,
                    states,
                    inputGradients,
                    lambdaGradient
                );
            }
        }

        float[][] actual = Outputs(channels, lengths, inPlace, workers);
        Closeness.AssertClose(states, actual[0], 1e-6, "states");
        Closeness.AssertClose(inputGradients, actual[1], 1e-6, "input gradients");
        Closeness.AssertClose(lambdaGradient, actual[2], 3e-6, "gradient of λ");
    }

    private static void Channel(
        Complex factor,
        int i,
        int channels,
        int first,
        int end,
        float[] x,
        float[] gradients,
        double[] states,
        double[] inputGradients,
        double[] lambdaGradient
    )
    {
        Complex state = Complex.Zero,
            g = Complex.Zero;
        var before = new Complex[end - first];
        for (int step = first; step < end; step++)
        {
            int at = (step * 2 * channels) + i;
            before[step - first] = state;
            state = (factor * state) + new Complex(x[at], x[at + channels]);
            states[at] = state.Real;
            states[at + channels] = state.Imaginary;
        }

        for (int step = end - 1; step >= first; step--)
        {
            int at = (step * 2 * channels) + i;
            g = new Complex(gradients[at], gradients[at + channels]) + (Complex.Conjugate(factor) * g);
            inputGradients[at] = g.Real;
            inputGradients[at + channels] = g.Imaginary;
            Complex share = g * Complex.Conjugate(before[step - first]);
            lambdaGradient[i] += share.Real;
            lambdaGradient[channels + i] += share.Imaginary;
        }
    }
}
