using System.Globalization;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Kernels.Search;
using Streaming.Kernels.Simd;
using Streaming.Serving.Search;

namespace Streaming.Benchmarks;

/// <summary>Searches of a large in-memory catalogue, one thread: time and memory by element and width, and the funnel, with its recall
/// of the exact result on a trained model.</summary>
internal sealed class SearchRun(TextWriter output)
{
    private const int Dimension = 128;
    private const int Found = 20;
    private const int Rounds = 31;
    private static readonly int[] Widths = [16, 32, 64, Dimension];
    private static readonly (int Narrow, int Shortlist)[] Funnels =
    [
        (16, 200),
        (16, 500),
        (16, 1000),
        (16, 2000),
        (32, 200),
        (32, 500),
        (32, 1000),
        (64, 200),
        (64, 500),
    ];

    private readonly Neighbour[] _best = new Neighbour[Found];

    /// <summary>Measures.</summary>
    /// <param name="items">Items of the synthetic catalogue; ten times as many at width 16.</param>
    /// <param name="trained">A trained model; null: its column stays empty.</param>
    public void Run(int items, TrainedCatalogue? trained)
    {
        RowMajor(items);
        foreach (RowElement element in Enum.GetValues<RowElement>())
        {
            Measure(items, Widths, element, element == RowElement.Float16 ? trained : null);
        }

        Measure(10 * items, [16], RowElement.Float16, null);
    }

    internal static float[] Random(Random random, int width)
    {
        // Like in trained vectors, the first numbers are the largest.
        return
        [
            .. Enumerable
                .Range(0, width)
                .Select(i => (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) / Math.Sqrt(1 + (i / 16)))),
        ];
    }

    private void RowMajor(int items)
    {
        Random random = new(1);
        AlignedFloats rows = new(items * Dimension);
        foreach (ref float value in rows.Span)
        {
            value = random.NextSingle() - 0.5f;
        }

        float[] query = Random(random, Dimension),
            scores = new float[Found];
        int[] found = new int[Found];
        double seconds = Timing.Median(() =>
            TopK.Search(
                new TopKProblem
                {
                    Queries = query,
                    QueryStride = Dimension,
                    Catalogue = rows.Span,
                    CatalogueStride = Dimension,
                    Width = Dimension,
                    Count = Found,
                    Rows = found,
                    Scores = scores,
                }
            )
        );
        output.WriteLine(
            FormattableString.Invariant($"{items:N0} rows of {Dimension} float32 end to end, inner products: {seconds * 1e3:F1} ms")
        );
    }

    private void Measure(int items, int[] widths, RowElement element, TrainedCatalogue? trained)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using VectorTable table = Fill(items, widths, element);
        IndexView view = new(1, widths, table);
        long memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{items:N0} items × {widths[^1]} {element}: {memory / 1e6:N0} MB, {(double)memory / items:F0} bytes an item, of them "
                    + $"{(double)view.Bytes / items:F0} vectors, norms and stamps"
            )
        );
        SearchOptions[] searches =
        [
            .. widths.Reverse().Select(width => new SearchOptions { Width = width, Cosine = true }),
            .. widths.Length == 1
                ? []
                : Funnels.Select(funnel => new SearchOptions
                {
                    Width = Dimension,
                    Cosine = true,
                    Narrow = funnel.Narrow,
                    Shortlist = funnel.Shortlist,
                }),
        ];
        float[] query = Random(new Random(7), widths[^1]);
        foreach (SearchOptions search in searches)
        {
            view.Search(query, in search, _best);
        }

        double[][] times = Timing.Interleave(
            Rounds,
            [.. searches.Select<SearchOptions, Func<double>>(search => () => Timing.Once(() => view.Search(query, in search, _best)))]
        );
        Report(searches, times, trained);
    }

    private void Report(SearchOptions[] searches, double[][] times, TrainedCatalogue? trained)
    {
        Table table = new(
            output,
            "search, cosine, 20 found",
            "ms",
            "part of the whole width",
            trained is null ? "" : $"share of the exact {Found}, {trained.Name}"
        );
        for (int i = 0; i < searches.Length; i++)
        {
            SearchOptions search = searches[i];
            string name = search.Shortlist > 0 ? $"funnel {search.Narrow}, shortlist {search.Shortlist:N0}" : $"exact {search.Width}";
            double part = Timing.Median(times[i].Zip(times[0], static (time, whole) => time / whole));
            FormattableString share =
                trained is not null && search.Shortlist > 0 ? (FormattableString)$"{trained.Share(search, Found):F3}" : $"";
            table.Row($"{name}", $"{Timing.Median(times[i]) * 1e3:F2}", $"{part:F3}", share);
        }
    }

    /// <summary>A catalogue of random vectors.</summary>
    internal static VectorTable Fill(int items, int[] widths, RowElement element)
    {
        Random random = new(3);
        VectorTable table = new(widths, element);
        float[][] some = [.. Enumerable.Range(0, 4099).Select(_ => Random(random, widths[^1]))];
        float[] vector = new float[widths[^1]];
        for (int item = 0; item < items; item++)
        {
            // Each item has a different vector, though not every one comes from the generator.
            float[] from = some[item % some.Length],
                other = some[(item / some.Length * 31 + item) % some.Length];
            for (int i = 0; i < vector.Length; i++)
            {
                vector[i] = from[i] - (0.5f * other[vector.Length - 1 - i]);
            }

            table.Set($"item-{item}", vector, new EmbeddingStamp(1, 1, 1, 0));
        }

        return table;
    }
}
