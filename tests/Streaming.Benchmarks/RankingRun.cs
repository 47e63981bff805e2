using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Kernels.Linear;
using Streaming.Kernels.Parallel;
using Streaming.Learning.Cpu;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Benchmarks;

/// <summary>
/// The rank of a batch's items in a whole catalogue at five widths, compared with the plain product of users and catalogue: the kernel, and
/// all that scoring does with it (encoding the catalogue, exclusions, the best 256 of each width).
/// </summary>
internal sealed class RankingRun(Workers workers, TextWriter output)
{
    private const int Batch = 128;
    private const int D = 128;
    private const int Rounds = 5;
    private const int Tile = 4096;
    private static readonly int[] Widths = [8, 16, 32, 64, D];

    public void Run()
    {
        Table table = new(
            output,
            "items",
            "product, ms",
            "GFLOP/s",
            "ranks, ms",
            "of its speed",
            "ranks and best 256, ms",
            "of its speed",
            "ms encoding"
        );
        foreach (int items in new[] { 10_000, 100_000 })
        {
            using CpuEngine engine = new(
                new ModelOptions
                {
                    Widths = Widths,
                    ItemCapacity = items + (items / 5),
                    BankCapacity = 0,
                    Loss = LossKind.InBatch,
                },
                workers.Threads
            );
            var catalogue = new ItemTable(engine, new ItemTableOptions());
            var batch = new Batch(Batch, 50);
            Fill(catalogue, batch, items);
            var plain = new CatalogueRanker(engine, catalogue, Batch, 50, workers);
            var best = new CatalogueRanker(engine, catalogue, Batch, 50, workers, keepTop: true);
            int[] all = [.. Enumerable.Range(0, Batch)];
            float[] users = new float[Batch * D],
                tile = new float[Tile * D],
                scores = new float[Batch * Tile];
            Array.Fill(users, 0.1f);
            engine.EncodeItems(catalogue.Rows[..Tile], tile);
            double[][] times = Timing.Interleave(
                Rounds,
                () => Timing.Once(() => Product(users, tile, scores, items)),
                () => Timing.Once(() => plain.Rank(batch, all)),
                () => Timing.Once(() => best.Rank(batch, all))
            );
            double product = Timing.Median(times[0]),
                ranks = Timing.Median(times[1]),
                withBest = Timing.Median(times[2]);
            table.Row(
                $"{items}",
                $"{1e3 * product:F1}",
                $"{2e-9 * Batch * D * items / product:F0}",
                $"{1e3 * ranks:F1}",
                $"{product / ranks:P0}",
                $"{1e3 * withBest:F1}",
                $"{product / withBest:P0}",
                $"{best.Encoding.TotalMilliseconds:F1}"
            );
        }
    }

    private void Product(float[] users, float[] tile, float[] scores, int items)
    {
        for (int first = 0; first < items; first += Tile)
        {
            int count = Math.Min(Tile, items - first);
            Gemm.MultiplyTransposeB(Batch, count, D, users, D, tile, D, scores, count, accumulate: false, workers);
        }
    }

    private static void Fill(ItemTable catalogue, Batch batch, int items)
    {
        var random = new Random(1);
        for (int item = 0; item < items; item++)
        {
            byte[] id = Encoding.UTF8.GetBytes($"item-{item}");
            catalogue.Touch(XxHash64.Hash(id), id, 1);
        }

        ulong Key() => catalogue.KeyOf(catalogue.Rows[random.Next(items)]);
        for (int example = 0; example < Batch; example++)
        {
            batch.ItemKeys[example] = Key();
            for (int i = 0; i < 20; i++)
            {
                batch.HistoryItems[(20 * example) + i] = Key();
            }

            batch.HistoryOffsets[example + 1] = 20 * (example + 1);
        }

        batch.Count = Batch;
    }
}
