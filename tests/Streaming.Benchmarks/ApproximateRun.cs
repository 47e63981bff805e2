using System.Diagnostics;
using System.Globalization;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Serving.Approximate;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;

namespace Streaming.Benchmarks;

/// <summary>
/// The approximate search of clustered vectors: build, recall and time, one search at a time in turns with USearch alone; with items that
/// changed, with filters, and after every vector moved.
/// </summary>
internal sealed class ApproximateRun(int threads, TextWriter output)
{
    private const int Dimension = 128;
    private const int Found = 20;
    private const int Queries = 2_000;
    private const int ExactQueries = 100;
    private const int BuildItems = 50_000;
    private const int Builds = 3;
    private const double MaxMove = 0.25;
    private static readonly double[] ChangedShares = [0, 0.001, 0.0025, 0.005, 0.01, 0.02];
    private static readonly double[] Moves = [0.05, 0.1, 0.15, 0.2, 0.3];
    private static readonly (string Name, string Condition)[] Filters =
    [
        ("50 %", "half:v0"),
        ("20 %", "fifth:v0"),
        ("10 %", "tenth:v0"),
        ("5 %", "twentieth:v0"),
        ("1 %", "hundredth:v0"),
    ];

    private readonly Neighbour[] _best = new Neighbour[Found];
    private readonly Neighbour[] _exact = new Neighbour[Found];
    private readonly float[][] _queries = [.. Enumerable.Range(0, Queries).Select(static _ => new float[Dimension])];

    /// <summary>Measures.</summary>
    /// <param name="items">Items of the catalogue.</param>
    public void Run(int items)
    {
        AttributeDefinition[] fields =
        [
            .. Filters.Select(static filter => new AttributeDefinition(filter.Condition.Split(':')[0], AttributeKind.Text)),
        ];
        using VectorTable table = new([16, 32, 64, Dimension], RowElement.Float16, new AttributeSchema(fields));
        IndexView view = new(1, [16, 32, 64, Dimension], table);
        ClusteredVectors vectors = new(items, Dimension);
        float[] rows = Fill(table, vectors, items);
        Random random = new(11);
        Array.ForEach(_queries, query => vectors.Draw(random, query));

        // Nothing is rebuilt here: what changes is the measure.
        VectorGraph? made = null;
        ApproximateOptions options = new()
        {
            Create = shape => made = UsearchGraph.Create(shape),
            Threads = threads,
            MaxMove = MaxMove,
        };
        using TableGraph graph = new(table, options);
        table.Graph = graph;
        CompareBuilds(vectors, Math.Min(items, BuildItems));
        GraphBuild build = new(CancellationToken.None);
        double seconds = Timing.Once(() => graph.Build(build));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{items:N0} items × {Dimension} Float16: built in {seconds:F0} s, {items / seconds:N0} vectors a second; "
                    + $"{graph.Current!.Bytes / (double)items:F0} bytes an item"
            )
        );
        Compare(view, made!);
        Filter(view);
        Change(view, graph, vectors, items);
        Move(view, graph, rows, items);
    }

    /// <summary>Builds of some items in turns with USearch alone.</summary>
    private void CompareBuilds(ClusteredVectors vectors, int items)
    {
        using VectorTable part = new([Dimension], RowElement.Float16);
        Random random = new(7);
        float[] rows = new float[items * Dimension];
        for (int item = 0; item < items; item++)
        {
            Span<float> row = rows.AsSpan(item * Dimension, Dimension);
            vectors.Draw(random, row);
            part.Set(Id(item), row, default);
        }

        Table table = new(output, "build", "items", "vectors a second", "part of USearch alone");
        double[][] times = new double[2][];
        for (int side = 0; side < times.Length; side++)
        {
            times[side] = new double[Builds];
        }

        for (int round = 0; round < Builds; round++)
        {
            using UsearchPeer peer = new(Dimension, items, threads);
            times[0][round] = Timing.Once(() => peer.Build(rows, threads));
            using TableGraph graph = new(part, new ApproximateOptions { Create = UsearchGraph.Create, Threads = threads });
            times[1][round] = Timing.Once(() => graph.Build(new GraphBuild(CancellationToken.None)));
        }

        (double alone, double ours) = (times[0].Min(), times[1].Min());
        table.Row($"USearch alone", $"{items:N0}", $"{items / alone:N0}", $"1");
        table.Row($"of the index", $"{items:N0}", $"{items / ours:N0}", $"{alone / ours:F2}");
        output.WriteLine();
    }

    /// <summary>Searches in turns with the graph by itself, whose results are rows and have no current scores.</summary>
    private void Compare(IndexView view, VectorGraph graph)
    {
        int[] rows = new int[Found];
        float[] unit = new float[Dimension];
        var times = new List<double>[] { [], [], [] };
        int common = 0,
            commonOfGraph = 0;
        for (int i = 0; i < Queries; i++)
        {
            float[] query = _queries[i];
            times[0].Add(Once(() => view.Search(query, Search(), _best)));

            // Another query, whose part of the graph is not in the caches.
            ItemGraph.Normalize(_queries[Queries - 1 - i], unit);
            times[1].Add(Once(() => graph.Search(unit, rows)));
            if (i < ExactQueries)
            {
                times[2].Add(Once(() => view.Search(query, Search() with { Exact = true }, _exact)));
                common += Common();
                ItemGraph.Normalize(query, unit);
                graph.Search(unit, rows);
                commonOfGraph += rows.Count(row => _exact.Any(item => item.Id == Id(row)));
            }
        }

        Table table = new(output, $"search, cosine, {Found} found", $"share of the exact {Found}", "p50 ms", "p99 ms");
        table.Row($"of the index", Share(common), $"{Quantile(times[0], 0.5):F3}", $"{Quantile(times[0], 0.99):F3}");
        table.Row($"USearch alone", Share(commonOfGraph), $"{Quantile(times[1], 0.5):F3}", $"{Quantile(times[1], 0.99):F3}");
        table.Row($"exact", $"1", $"{Quantile(times[2], 0.5):F3}", $"{Quantile(times[2], 0.99):F3}");
    }

    private void Filter(IndexView view)
    {
        Table table = new(output, "filter admits", "p50 ms", "exact p50 ms", $"share of the exact {Found}", "made exactly after all");
        foreach ((string name, string condition) in Filters)
        {
            SearchOptions search = Search() with { Filter = new ItemFilter { Must = [ItemCondition.Parse(condition)] } };
            List<double> times = [],
                exact = [];
            int common = 0;
            long before = view.Table.Graph!.Exact;
            for (int i = 0; i < ExactQueries; i++)
            {
                float[] query = _queries[i];
                times.Add(Once(() => view.Search(query, in search, _best)));
                SearchOptions whole = search with { Exact = true };
                exact.Add(Once(() => view.Search(query, in whole, _exact)));
                common += Common();
            }

            table.Row(
                $"{name}",
                $"{Quantile(times, 0.5):F3}",
                $"{Quantile(exact, 0.5):F3}",
                Share(common),
                $"{(view.Table.Graph!.Exact - before) / (double)ExactQueries:P0}"
            );
        }
    }

    /// <summary>Replaces some vectors by others, as new items are.</summary>
    private void Change(IndexView view, TableGraph graph, ClusteredVectors vectors, int items)
    {
        Table table = new(
            output,
            "changed items",
            "share of all",
            "p50 ms",
            "p99 ms",
            $"share of the exact {Found}",
            "µs to take note of one"
        );
        Random random = new(5);
        float[] vector = new float[Dimension];
        int changed = 0;
        foreach (double share in ChangedShares)
        {
            int more = (int)(share * items) - changed;
            long begun = Stopwatch.GetTimestamp();
            for (; changed < share * items; changed++)
            {
                vectors.Draw(random, vector);
                Set(view.Table, changed, vector);
            }

            double each = Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Math.Max(more, 1);
            (List<double> times, int common) = Measure(view);
            table.Row(
                $"{graph.Current!.Changed:N0}",
                $"{share:P2}",
                $"{Quantile(times, 0.5):F3}",
                $"{Quantile(times, 0.99):F3}",
                Share(common),
                $"{each:F1}"
            );
        }
    }

    /// <summary>Moves every vector by a distance at random, as continued training does.</summary>
    private void Move(IndexView view, TableGraph graph, float[] rows, int items)
    {
        Table table = new(output, "every vector moved by", "changed items", "p50 ms", $"share of the exact {Found}");
        foreach (double move in Moves)
        {
            Random random = new(9);
            float[] vector = new float[Dimension];
            for (int item = 0; item < items; item++)
            {
                ReadOnlySpan<float> row = rows.AsSpan(item * Dimension, Dimension);
                double length = Math.Sqrt(Dot(row)) * move / Math.Sqrt(Dimension / 12.0);
                for (int i = 0; i < Dimension; i++)
                {
                    vector[i] = (float)(row[i] + ((random.NextDouble() - 0.5) * length));
                }

                Set(view.Table, item, vector);
            }

            (List<double> times, int common) = Measure(view);
            table.Row($"{move:F2}", $"{graph.Current!.Changed:N0}", $"{Quantile(times, 0.5):F3}", Share(common));
        }
    }

    private (List<double> Times, int Common) Measure(IndexView view)
    {
        List<double> times = [];
        int common = 0;
        for (int i = 0; i < Queries; i++)
        {
            float[] query = _queries[i];
            times.Add(Once(() => view.Search(query, Search(), _best)));
            if (i < ExactQueries)
            {
                view.Search(query, Search() with { Exact = true }, _exact);
                common += Common();
            }
        }

        return (times, common);
    }

    private int Common() => _best.Select(static item => item.Id).Intersect(_exact.Select(static item => item.Id)).Count();

    private static float[] Fill(VectorTable table, ClusteredVectors vectors, int items)
    {
        Random random = new(7);
        float[] rows = new float[items * Dimension];
        for (int item = 0; item < items; item++)
        {
            Span<float> row = rows.AsSpan(item * Dimension, Dimension);
            vectors.Draw(random, row);
            Set(table, item, row);
        }

        return rows;
    }

    private static void Set(VectorTable table, int item, ReadOnlySpan<float> vector)
    {
        string attributes = FormattableString.Invariant(
            $"{{\"half\":\"v{item % 2}\",\"fifth\":\"v{item % 5}\",\"tenth\":\"v{item % 10}\",\"twentieth\":\"v{item % 20}\",\"hundredth\":\"v{item % 100}\"}}"
        );
        table.Set(Id(item), vector, new EmbeddingStamp(1, 1, 1, 0), ItemFactsValue.Encode(new(attributes, 1, 1), 1, 1));
    }

    private static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"item-{item}");

    private static SearchOptions Search() => new() { Width = Dimension, Cosine = true };

    private static double Once(Action action) => 1e3 * Timing.Once(action);

    private static double Dot(ReadOnlySpan<float> row)
    {
        double sum = 0;
        foreach (float value in row)
        {
            sum += (double)value * value;
        }

        return sum;
    }

    private static FormattableString Share(int common) => $"{common / (double)(Found * ExactQueries):F3}";

    private static double Quantile(List<double> times, double part) => times.Order().ElementAt((int)(part * (times.Count - 1)));
}
