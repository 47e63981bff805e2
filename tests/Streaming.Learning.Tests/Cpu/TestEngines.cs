using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;

namespace Streaming.Learning.Tests.Cpu;

/// <summary>Engines with filled item tables.</summary>
internal static class TestEngines
{
    public const int Items = 40;

    public static ModelOptions Options(TowerKind tower) =>
        new()
        {
            Widths = [4, 8, 20, 32],
            Tower = tower,
            Cosine = false,
            Temperature = 1,
            BalanceBank = false,
            HistoryLength = 12,
            Interests = 3,
            ItemCapacity = 64,
            FeatureGroups = [new FeatureGroup("text", 6)],
            ItemDeviation = 0.3f,
            BankCapacity = 48,
            Dropout = [0.1f, 0.2f, 0.3f, 0.4f],
        };

    public static CpuEngine Create(ModelOptions options, int threads = 2)
    {
        var engine = new CpuEngine(options, threads);
        Fill(engine);
        return engine;
    }

    /// <summary>Fills the item table.</summary>
    public static void Fill(TrainingEngine engine)
    {
        var random = new Random(5);
        for (int row = 0; row < Items; row++)
        {
            engine.InitializeRow(row, (ulong)row * 977);
            engine.SetFeatures(row, [.. Enumerable.Range(0, engine.Model.FeatureLength).Select(_ => random.NextSingle() - 0.5f)]);
        }
    }

    /// <summary>Losses of a fixed run.</summary>
    public static double[] Train(TrainingEngine engine, int steps, int firstStep = 1, int sequences = 24)
    {
        double[] losses = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            int step = firstStep + i;
            var batch = new RandomBatch(step, sequences, engine.Model.HistoryLength, Items)
            {
                Step = step,
                LearningRate = 0.01f,
                Enqueue = true,
                BankEntries = step > 3 ? engine.BankCount : 0,
            };
            losses[i] = engine.Step(batch.Batch).Loss;
        }

        return losses;
    }
}
