using System.Globalization;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;
using Xunit;

namespace Streaming.Serving.Tests.Graphs;

/// <summary>A table of items in clusters of a few dozen, with attributes of known shares.</summary>
internal sealed class ClusteredItems : IDisposable
{
    public const int Width = 32;
    private const int ClusterSize = 40;
    private static readonly int[] Widths = [8, Width];
    private readonly float[][] _centers;

    public ClusteredItems(int items)
    {
        Random = new Random(5);
        _centers = [.. Enumerable.Range(0, Math.Max(items / ClusterSize, 1)).Select(_ => Draw(1))];
        Table = new VectorTable(
            Widths,
            RowElement.Float16,
            new AttributeSchema([new("half", AttributeKind.Text), new("hundredth", AttributeKind.Text), new("cluster", AttributeKind.Text)])
        );
        View = new IndexView(1, Widths, Table);
        for (int item = 0; item < items; item++)
        {
            Set(item, Near(item));
        }
    }

    public Random Random { get; }

    public VectorTable Table { get; }

    public IndexView View { get; }

    public static SearchOptions Search { get; } = new() { Width = Width, Cosine = true };

    public static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"item{item}");

    /// <summary>A vector of the cluster of an item.</summary>
    public float[] Near(int item)
    {
        float[] vector = Draw(0.5f),
            center = _centers[item % _centers.Length];
        return [.. vector.Zip(center, static (one, other) => one + other)];
    }

    public void Set(int item, float[] vector)
    {
        string attributes = string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"half\":\"v{item / _centers.Length % 2}\",\"hundredth\":\"v{item % 100}\",\"cluster\":\"v{item % _centers.Length}\"}}"
        );
        Table.Set(Id(item), vector, new EmbeddingStamp(1, 1, 1, 0), ItemFactsValue.Encode(new(attributes, 1, 1), 1, 1));
    }

    public string[] Find(float[] query, int count, SearchOptions? search = null)
    {
        var best = new Neighbour[count];
        SearchOptions options = search ?? Search;
        int found = View.Search(query, in options, best);
        Assert.Equal(found, best.Take(found).Select(static item => item.Id).Distinct().Count());
        return [.. best.Take(found).Select(static item => item.Id)];
    }

    /// <summary>The share of the exact search's best 20 items that another search finds.</summary>
    public double Recall(int queries, SearchOptions? search = null)
    {
        SearchOptions options = search ?? Search;
        int common = 0,
            all = 0;
        for (int i = 0; i < queries; i++)
        {
            float[] query = Near(i);
            string[] exact = Find(query, 20, options with { Exact = true });
            common += exact.Intersect(Find(query, 20, options)).Count();
            all += exact.Length;
        }

        return (double)common / all;
    }

    public void Dispose() => Table.Dispose();

    private float[] Draw(float length) => [.. Enumerable.Range(0, Width).Select(_ => length * ((Random.NextSingle() * 2) - 1))];
}
