using System.Numerics;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Layers;

public sealed class LruTests
{
    [Fact]
    public void NestedLinear_WidthsOfThePaper_StoresTwoThirds()
    {
        var set = new ParameterSet();
        var widths = new Increments([8, 16, 32, 64, 128, 256, 512, 1024]);
        var linear = new NestedLinear(set, "x", widths, widths);
        int stored = 0;
        foreach (Parameter weight in linear.Weights)
        {
            stored += weight.Length;
        }

        Assert.Equal(699_072, stored);
    }

    [Theory]
    [InlineData(0f, 0.1f)]
    [InlineData(0.8f, 0.99f)]
    public void Initialize_Ring_IsUniformOnItsArea(float min, float max)
    {
        const int channels = 4096;
        var set = new ParameterSet();
        var lru = new Lru(set, "x", new Increments([channels]));
        set.Allocate();
        lru.Initialize(1, new ModelOptions { RingMin = min, RingMax = max });
        double[] radius = [.. set.Value(set.All[0]).ToArray().Select(nu => Math.Exp(-Math.Exp(nu)))];
        double[] gamma = [.. set.Value(set.All[2]).ToArray().Select(value => Math.Exp(value))];
        Assert.All(radius, r => Assert.InRange(r, min - 1e-6, max + 1e-6));

        // Uniform on the area: r² is uniform.
        Assert.Equal(((min * min) + (max * max)) / 2.0, radius.Average(r => r * r), 0.01 * max * max);
        Assert.All(Enumerable.Range(0, channels), i => Assert.Equal(Math.Sqrt(1 - (radius[i] * radius[i])), gamma[i], 1e-5));
    }

    [Fact]
    public void State_WhiteInput_HasTheVarianceOfTheRing()
    {
        // Orvieto et al., proposition 3.3: without γ, E‖x∞‖² = ln((1 − r_min²) / (1 − r_max²)) / (r_max² − r_min²) per unit
        // of input variance, over the draw of λ.
        const double min = 0.5,
            max = 0.9;
        const int channels = 4000,
            steps = 300;
        var set = new ParameterSet();
        var lru = new Lru(set, "x", new Increments([channels]));
        set.Allocate();
        lru.Initialize(1, new ModelOptions { RingMin = (float)min, RingMax = (float)max });
        set.Value(set.All[2]).Clear();
        lru.Prepare();
        var random = new Random(2);
        float[] rows = new float[4 * channels];
        for (int t = 0; t < steps; t++)
        {
            for (int i = 2 * channels; i < rows.Length; i++)
            {
                rows[i] = (float)((random.NextDouble() - 0.5) * Math.Sqrt(6));
            }

            lru.Advance(rows);
            rows.AsSpan(2 * channels).CopyTo(rows);
        }

        double energy = rows.Take(2 * channels).Sum(value => (double)value * value) / channels;
        double expected = Math.Log((1 - (min * min)) / (1 - (max * max))) / ((max * max) - (min * min));
        Assert.Equal(expected, energy, 0.1);
    }

    [Fact]
    public void Scan_Sequence_EqualsTheRecurrenceInFloat64()
    {
        var widths = new Increments([4, 12, 20]);
        var set = new ParameterSet();
        var lru = new Lru(set, "x", widths);
        set.Allocate();
        lru.Initialize(3, new ModelOptions());
        lru.Prepare();
        const int steps = 60;
        var random = new Random(1);
        float[] states = [.. Enumerable.Range(0, steps * 40).Select(_ => random.NextSingle() - 0.5f)];
        float[] inputs = [.. states];
        lru.Scan(states, steps);
        for (int k = 0; k < 3; k++)
        {
            int start = widths.Start(k),
                n = widths.Length(k);
            for (int i = 0; i < n; i++)
            {
                double radius = Math.Exp(-Math.Exp(set.Value(set.All[0])[start + i]));
                var lambda = Complex.FromPolarCoordinates(radius, Math.Exp(set.Value(set.All[1])[start + i]));
                Complex s = 0;
                for (int t = 0; t < steps; t++)
                {
                    int re = (t * 40) + (2 * start) + i;
                    s = (lambda * s) + (Math.Exp(set.Value(set.All[2])[start + i]) * new Complex(inputs[re], inputs[re + n]));
                    Assert.Equal(s.Real, states[re], 1e-5);
                    Assert.Equal(s.Imaginary, states[re + n], 1e-5);
                }
            }
        }
    }
}
