using Streaming.Kernels.Parallel;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;

namespace Streaming.Benchmarks;

/// <summary>Embeddings of a whole catalogue: 128 features projected to width 128, and the id embedding.</summary>
internal static class EncodeRun
{
    private const int Items = 1_000_000;
    private const int D = 128;

    public static void Run(Workers workers, TextWriter output)
    {
        double peak = MachinePeak.Measure(workers);
        Table table = new(output, "items of", "items/s", "GFLOP/s", "of peak");
        foreach (int features in new[] { D, 0 })
        {
            double seconds = Measure(workers.Threads, features);
            double operations = 2.0 * features * D * Items;
            table.Row(
                $"{(features > 0 ? "128 features and an id" : "an id alone")}",
                $"{Items / seconds:F0}",
                $"{operations / seconds / 1e9:F0}",
                $"{operations / seconds / peak:P0}"
            );
        }
    }

    private static double Measure(int threads, int features)
    {
        using CpuEngine engine = new(
            new ModelOptions
            {
                Widths = [8, 16, 32, 64, D],
                ItemCapacity = Items,
                IdOptimizer = IdOptimizer.RowAdagrad,
                FeatureGroups = features == 0 ? [] : [new FeatureGroup("content", features)],
                BankCapacity = 0,
                Loss = LossKind.InBatch,
            },
            threads
        );
        float[] values = new float[features];
        for (int row = 0; row < Items; row++)
        {
            engine.InitializeRow(row, (ulong)row + 1);
            if (features > 0)
            {
                values[row % features] = row % 7;
                engine.SetFeatures(row, values);
            }
        }

        int[] rows = [.. Enumerable.Range(0, Items)];
        float[] embeddings = new float[Items * D];
        engine.EncodeItems(rows, embeddings);
        return Timing.Median(Timing.Interleave(5, () => Timing.Once(() => engine.EncodeItems(rows, embeddings)))[0]);
    }
}
