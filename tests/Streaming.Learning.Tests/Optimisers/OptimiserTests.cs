using Streaming.Learning.Cpu;
using Streaming.Learning.Tests.Cpu;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Optimisers;

/// <summary>Updates of id rows and dense parameters against the formulas in float64, including idle steps.</summary>
public sealed class OptimiserTests
{
    private const int Steps = 9;

    [Theory]
    [InlineData(IdOptimizer.LazyAdam)]
    [InlineData(IdOptimizer.RowAdagrad)]
    public void Step_IdRows_FollowTheFormula(IdOptimizer optimizer)
    {
        ModelOptions options = TestEngines.Options(TowerKind.YoutubeDnn) with
        {
            FeatureGroups = [],
            IdOptimizer = optimizer,
            IdWeightDecay = 0.05f,
            ClipNorm = 0,
        };
        using CpuEngine engine = TestEngines.Create(options);
        int d = options.Dimension;
        float[] values = new float[TestEngines.Items * d];
        engine.EncodeItems([.. Enumerable.Range(0, TestEngines.Items)], values);
        double[] expected = [.. values];
        (double[]? first, double[]? second, int[]? last) = (
            new double[expected.Length],
            new double[expected.Length],
            new int[TestEngines.Items]
        );
        for (int step = 1; step <= Steps; step++)
        {
            // Two sequences: most items idle for some steps.
            var batch = new RandomBatch(step, 2, 4, TestEngines.Items) { Step = step, LearningRate = 0.02f * step };
            Assert.True(engine.Step(batch.Batch).IsApplied);
            for (int i = 0; i < expected.Length; i++)
            {
                expected[i] *= 1 - (batch.LearningRate * (double)options.IdWeightDecay);
            }

            for (int slot = 0; slot < engine.StepRows.Length; slot++)
            {
                int row = engine.StepRows[slot];
                double[] gradient = [.. engine.StepRowGradients.Slice(slot * d, d).ToArray().Select(value => (double)value)];
                double mean = gradient.Average(value => value * value);
                second[row] += optimizer == IdOptimizer.RowAdagrad ? mean : 0;
                for (int c = 0; c < d; c++)
                {
                    int i = (row * d) + c;
                    expected[i] -=
                        batch.LearningRate
                        * (
                            optimizer == IdOptimizer.RowAdagrad
                                ? gradient[c] / (Math.Sqrt(second[row]) + options.Epsilon)
                                : Adam(options, ref first[i], ref second[i], gradient[c], step, step - last[row])
                        );
                }

                last[row] = step;
            }
        }

        engine.EncodeItems([.. Enumerable.Range(0, TestEngines.Items)], values);
        for (int i = 0; i < values.Length; i++)
        {
            Assert.Equal(expected[i], values[i], 2e-5);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.01f)]
    public void Step_DenseParameters_FollowAdamWWithClipAndDecay(float clip)
    {
        ModelOptions options = TestEngines.Options(TowerKind.FmrlRec) with { ClipNorm = clip, WeightDecay = 0.1f };
        using CpuEngine engine = TestEngines.Create(options);
        double[] expected = [.. engine.Parameters.Values];
        (double[]? first, double[]? second) = (new double[expected.Length], new double[expected.Length]);
        for (int step = 1; step <= Steps; step++)
        {
            var batch = new RandomBatch(step, 8, 6, TestEngines.Items) { Step = step, LearningRate = 0.01f };
            double norm = engine.Step(batch.Batch).GradientNorm;
            double scale = clip > 0 && norm > clip ? clip / norm : 1;
            foreach (Parameter parameter in engine.Parameters.All)
            {
                bool weight = parameter.Name.Contains(".weight", StringComparison.Ordinal);
                Assert.Equal(weight, parameter.Decays);
                for (int i = parameter.Offset; i < parameter.Offset + parameter.Length; i++)
                {
                    expected[i] *= weight ? 1 - (batch.LearningRate * (double)options.WeightDecay) : 1;
                    expected[i] -=
                        batch.LearningRate * Adam(options, ref first[i], ref second[i], scale * engine.Parameters.Gradients[i], step, 1);
                }
            }
        }

        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], engine.Parameters.Values[i], 2e-5);
        }
    }

    [Fact]
    public void Step_DecayOfAWholeStep_IsRefused()
    {
        using CpuEngine engine = TestEngines.Create(TestEngines.Options(TowerKind.YoutubeDnn) with { IdWeightDecay = 0.5f });
        var batch = new RandomBatch(1, 4, 6, TestEngines.Items) { LearningRate = 2 };
        ArgumentException error = Assert.Throws<ArgumentException>(() => engine.Step(batch.Batch));
        Assert.Contains("LearningRate is 2", error.Message, StringComparison.Ordinal);
    }

    private static double Adam(ModelOptions o, ref double m, ref double v, double gradient, int step, int steps)
    {
        m = (Math.Pow(o.Beta1, steps) * m) + ((1 - o.Beta1) * gradient);
        v = (Math.Pow(o.Beta2, steps) * v) + ((1 - o.Beta2) * gradient * gradient);
        return m / (1 - Math.Pow(o.Beta1, step)) / (Math.Sqrt(v / (1 - Math.Pow(o.Beta2, step))) + o.Epsilon);
    }
}
