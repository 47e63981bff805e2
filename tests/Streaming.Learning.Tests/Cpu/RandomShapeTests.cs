using Streaming.Kernels.Softmax;
using Streaming.Learning.Cpu;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>Losses and encodings of random models on random batches against the float64 model, to cover unforeseen shapes.</summary>
public sealed class RandomShapeTests
{
    private const int Items = 20;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Step_RandomModel_LossesAgreeWithReference(int seed)
    {
        var random = new Random(seed);
        ModelOptions options = Model(random);
        using var engine = new CpuEngine(options, 1 + random.Next(3));
        for (int row = 0; row < Items; row++)
        {
            engine.InitializeRow(row, (ulong)random.NextInt64());
            engine.SetFeatures(row, [.. Enumerable.Range(0, options.FeatureLength).Select(_ => random.NextSingle() - 0.5f)]);
        }

        bool everyStep = options.Tower != TowerKind.Mind && random.Next(2) == 0;
        bool catalogue = options.Loss == LossKind.Full;
        int negatives = options.Loss.DrawsUniformly() ? 1 + random.Next(30) : 0;
        for (int step = 1; step <= 3; step++)
        {
            var batch = new RandomBatch(
                (seed * 10) + step,
                1 + random.Next(40),
                options.HistoryLength,
                Items,
                everyStep,
                negatives,
                catalogue
            )
            {
                Step = step,
                LearningRate = 0.003f,
                Enqueue = options.Loss.UsesBank(),
                BankEntries = options.Loss.UsesBank() ? engine.BankCount : 0,
                DrawnFrom = options.Loss.MixesDraws() ? Items : 0,
            };
            ReferenceModel reference;
            using (TensorSnapshot snapshot = engine.BeginSnapshot())
            {
                reference = new ReferenceModel(options, snapshot);
            }

            double[] expected = reference.Losses(batch);
            ReadOnlySpan<double> losses = engine.Step(batch.Batch).Losses.Span;
            for (int k = 0; k < expected.Length; k++)
            {
                Assert.Equal(expected[k], losses[k], 1e-4 * Math.Max(1, Math.Abs(expected[k])));
            }
        }
    }

    private static ModelOptions Model(Random random)
    {
        var widths = new List<int>();
        for (int i = 0, width = 0; i <= random.Next(4); i++)
        {
            widths.Add(width += 4 + random.Next(30));
        }

        var loss = (LossKind)random.Next(6);
        return new ModelOptions
        {
            Widths = widths,
            Tower = (TowerKind)random.Next(4),
            Norm = (NormPlacement)random.Next(2),
            Layers = 1 + random.Next(3),
            InputNorm = random.Next(2) == 0,
            OutputNorm = random.Next(2) == 0,
            OutputLinear = random.Next(2) == 0,
            HistoryLength = 1 + random.Next(9),
            Interests = 1 + random.Next(4),
            RoutingIterations = 1 + random.Next(3),
            ItemCapacity = Items,
            FeatureGroups = random.Next(2) == 0 ? [] : [new FeatureGroup("x", 1 + random.Next(40))],
            ItemDeviation = 0.3f,
            Loss = loss,
            DistinctBank = random.Next(2) == 0,
            LogQ = loss is LossKind.Full or LossKind.Uniform ? LogQCorrection.None : (LogQCorrection)random.Next(3),
            BankCapacity = random.Next(60),
            Cosine = random.Next(2) == 0,
            Temperature = 0.5f + random.NextSingle(),
            Dropout = [0],
            IdWeightDecay = 0,
        };
    }
}
