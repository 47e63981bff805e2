using Xunit;

namespace Streaming.Learning.Tests;

public class SmokeGradientTests
{
    [Theory]
    [InlineData(TowerKind.FmrlRec, NormPlacement.Before)]
    [InlineData(TowerKind.FmrlRec, NormPlacement.After)]
    [InlineData(TowerKind.YoutubeDnn, NormPlacement.Before)]
    [InlineData(TowerKind.Gru4Rec, NormPlacement.Before)]
    [InlineData(TowerKind.Mind, NormPlacement.Before)]
    public void Step_Gradient_AgreesWithDifferences(TowerKind tower, NormPlacement norm)
    {
        var options = new ModelOptions { Widths = [4, 8], Tower = tower, Norm = norm, HistoryLength = 5, ItemCapacity = 12, FeatureGroups = [new("x", 3)], Loss = LossKind.InBatch, ItemDeviation = 0.5f, Dropout = [0.2f], RoutingIterations = 1, Interests = 2, OutputNorm = true, OutputLinear = true, BankCapacity = 16, ClipNorm = 0, InputNorm = true };
        using var engine = new CpuEngine(options, 2);
        var random = new Random(3);
        for (int i = 0; i < 12; i++)
        {
            engine.InitializeRow(i, (ulong)i);
            engine.SetFeatures(i, [random.NextSingle() - .5f, random.NextSingle() - .5f, random.NextSingle() - .5f]);
        }

        var batch = new RandomBatch(7, 6, 5, 12, everyStep: tower != TowerKind.Mind);
        var first = engine.Step(batch.Batch);
        Assert.True(first.Applied);
        float[] gradients = [.. engine.Parameters.Gradients];
        var values = engine.Parameters.Values;
        int bad = 0, all = 0;
        foreach (var p in engine.Parameters.All)
        {
            for (int i = p.Offset; i < p.Offset + p.Length; i++)
            {
                float old = values[i];
                const float h = 2e-2f;
                values[i] = old + h;
                double up = engine.Step(batch.Batch).Loss;
                values[i] = old - h;
                double down = engine.Step(batch.Batch).Loss;
                values[i] = old;
                double fd = (up - down) / (2 * h);
                all++;
                if (Math.Abs(fd - gradients[i]) > 2e-3 + (0.03 * Math.Abs(fd)))
                {
                    bad++;
                    TestContext.Current.TestOutputHelper!.WriteLine($"{p.Name}[{i - p.Offset}] fd {fd} g {gradients[i]}");
                }
            }
        }

        Assert.True(bad <= all / 200, $"{bad} of {all}");
    }
}
