using Streaming.Learning.Cpu;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>
/// The reference model has no dropout, so the agreement of forward and backward masks is checked on the engine itself:
/// masks depend on the step, and a step can be repeated.
/// </summary>
public sealed class DropoutGradientTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec, NormPlacement.Before)]
    [InlineData(TowerKind.FmrlRec, NormPlacement.After)]
    [InlineData(TowerKind.YoutubeDnn, NormPlacement.Before)]
    [InlineData(TowerKind.Gru4Rec, NormPlacement.Before)]
    [InlineData(TowerKind.Mind, NormPlacement.Before)]
    public void Step_WithDropout_GradientsAgreeWithDifferences(TowerKind tower, NormPlacement norm)
    {
        var options = new ModelOptions
        {
            Widths = [4, 8],
            Tower = tower,
            Cosine = false,
            Temperature = 1,
            Norm = norm,
            HistoryLength = 5,
            Interests = 1,
            ItemCapacity = TestEngines.Items,
            FeatureGroups = [new FeatureGroup("text", 3)],
            Loss = LossKind.InBatch,
            ItemDeviation = 0.5f,
            Dropout = [0.2f, 0.5f],
            ClipNorm = 0,
        };
        using CpuEngine engine = TestEngines.Create(options);
        var batch = new RandomBatch(7, 9, 5, TestEngines.Items, everyStep: tower != TowerKind.Mind);
        Assert.True(engine.Step(batch.Batch).IsApplied);
        float[] gradients = [.. engine.Parameters.Gradients];
        float[] values = engine.Parameters.Values;
        foreach (Parameter parameter in engine.Parameters.All)
        {
            for (int i = parameter.Offset; i < parameter.Offset + parameter.Length; i += 3)
            {
                double difference = Difference(engine, batch, ref values[i]);
                Assert.True(
                    parameter.Name == "tower.routing" || Math.Abs(difference - gradients[i]) <= 5e-3 + (0.05 * Math.Abs(difference)),
                    $"{parameter.Name}[{i - parameter.Offset}]: gradient {gradients[i]}, differences say {difference}."
                );
            }
        }
    }

    // Fourth order: a norm over four values thinned out by dropout is strongly curved.
    private static double Difference(CpuEngine engine, RandomBatch batch, ref float value)
    {
        const float h = 2e-3f;
        float old = value;
        Span<double> losses = stackalloc double[4];
        for (int i = 0; i < 4; i++)
        {
            value = old + (h * (i < 2 ? i - 2 : i - 1));
            losses[i] = engine.Step(batch.Batch).Loss;
        }

        value = old;
        return ((8 * (losses[2] - losses[1])) - (losses[3] - losses[0])) / (12 * h);
    }

    [Fact]
    public void Apply_Rates_DropThatShareAndKeepTheMean()
    {
        const int rows = 4000;
        float[] rates = [0.1f, 0.5f, 0.9f];
        var widths = new Increments([4, 8, 24]);
        var dropout = new Dropout(widths, rates, 3, 1);
        float[] values = new float[rows * 24];
        Array.Fill(values, 1);
        dropout.Apply(values, 0, 5);
        for (int k = 0; k < 3; k++)
        {
            float[] part = [.. values.Where((_, i) => i % 24 >= widths.Start(k) && i % 24 < widths.End(k))];
            Assert.Equal(rates[k], part.Count(value => value == 0) / (double)part.Length, 0.01);
            Assert.Equal(1, part.Average(), 0.05);
        }

        // A subset of the rows gets the same mask as in the whole, another step a different one.
        float[] tail = new float[24 * 10];
        Array.Fill(tail, 1);
        dropout.Apply(tail, rows - 10, 5);
        Assert.Equal(values[^240..], tail);
        Array.Fill(tail, 1);
        dropout.Apply(tail, rows - 10, 6);
        Assert.NotEqual(values[^240..], tail);
    }
}
