using System.Globalization;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;

namespace Streaming.Benchmarks;

/// <summary>Exact searches with filters of known selectivity, one thread, as parts of the same search without one.</summary>
internal sealed class FilterRun(TextWriter output)
{
    private const int Dimension = 128;
    private const int Found = 20;
    private const int Rounds = 31;
    private const int Tags = 8;

    private static readonly (string Name, int Values)[] Texts =
    [
        ("half", 2),
        ("tenth", 10),
        ("twentieth", 20),
        ("hundredth", 100),
        ("thousandth", 1000),
    ];

    private static readonly AttributeDefinition[] Fields =
    [
        .. Texts.Select(static text => new AttributeDefinition(text.Name, AttributeKind.Text)),
        new("tags", AttributeKind.Texts),
        new("price", AttributeKind.Number),
    ];

    private static readonly (string Name, ItemFilter? Filter, ItemBoost[] Boosts)[] Cases =
    [
        ("no filter", null, []),
        ("text, 50 %", Must("half:v0"), []),
        ("not text, 50 %", new ItemFilter { Not = [ItemCondition.Parse("half:v0")] }, []),
        ("number range, 50 %", Must("price:..49.9999"), []),
        ("one of 8 tags an item, 50 %", Must("tags:t0|t1|t2|t3"), []),
        ("three conditions, 23 %", Must("half:v0", "price:5..95", "tags:t0|t1|t2|t3"), []),
        ("text, 10 %", Must("tenth:v0"), []),
        ("text, 5 %", Must("twentieth:v0"), []),
        ("text, 1 %", Must("hundredth:v0"), []),
        ("number range, 1 %", Must("price:10..10.9999"), []),
        ("50 % and 1 %", Must("half:v0", "hundredth:v0"), []),
        ("text, 0.1 %", Must("thousandth:v0"), []),
        ("no item", Must("half:none"), []),
        ("boost of 50 %", null, [new(ItemCondition.Parse("half:v0"), 1.2f)]),
        ("boost of 1 %", null, [new(ItemCondition.Parse("hundredth:v0"), 1.2f)]),
    ];

    private readonly Neighbour[] _best = new Neighbour[Found];

    /// <summary>Measures.</summary>
    /// <param name="items">Items of the synthetic catalogue.</param>
    public void Run(int items)
    {
        using VectorTable table = new([16, 32, 64, Dimension], RowElement.Float16, new AttributeSchema(Fields));
        Fill(table, items);
        IndexView view = new(1, [16, 32, 64, Dimension], table);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{items:N0} items × {Dimension} Float16, 5 texts, up to {Tags} tags and 1 number each: "
                    + $"{(double)view.Bytes / items:F0} bytes an item"
            )
        );
        float[] query = SearchRun.Random(new Random(7), Dimension);
        foreach (int width in new[] { Dimension, 32 })
        {
            SearchOptions[] searches =
            [
                .. Cases.Select(filter => new SearchOptions
                {
                    Width = width,
                    Cosine = true,
                    Filter = filter.Filter,
                    Boosts = filter.Boosts,
                }),
            ];
            double[][] times = Timing.Interleave(
                Rounds,
                [.. searches.Select<SearchOptions, Func<double>>(search => () => Timing.Once(() => view.Search(query, in search, _best)))]
            );
            Table report = new(output, $"filter, width {width}, 20 found", "ms", "part of no filter");
            for (int i = 0; i < Cases.Length; i++)
            {
                double part = Timing.Median(times[i]) / Timing.Median(times[0]);
                report.Row($"{Cases[i].Name}", $"{Timing.Median(times[i]) * 1e3:F2}", $"{part:F3}");
            }
        }
    }

    private static ItemFilter Must(params string[] conditions) => new() { Must = [.. conditions.Select(ItemCondition.Parse)] };

    private static void Fill(VectorTable table, int items)
    {
        Random random = new(3);
        float[][] some = [.. Enumerable.Range(0, 4099).Select(_ => SearchRun.Random(random, Dimension))];
        float[] vector = new float[Dimension];
        for (int item = 0; item < items; item++)
        {
            float[] from = some[item % some.Length],
                other = some[(item / some.Length * 31 + item) % some.Length];
            for (int i = 0; i < vector.Length; i++)
            {
                vector[i] = from[i] - (0.5f * other[vector.Length - 1 - i]);
            }

            // Half of the items have one of the first four tags; the others do not.
            bool first = random.Next(2) == 0;
            string tags = string.Join(
                ',',
                Enumerable
                    .Range(0, random.Next(1, Tags + 1))
                    .Select(i => $"\"t{(first && i == 0 ? random.Next(4) : random.Next(4, 1000))}\"")
            );
            string texts = string.Concat(Texts.Select(text => $"\"{text.Name}\":\"v{random.Next(text.Values)}\","));
            string attributes = string.Create(
                CultureInfo.InvariantCulture,
                $"{{{texts}\"tags\":[{tags}],\"price\":{random.NextDouble() * 100}}}"
            );
            table.Set($"item-{item}", vector, new EmbeddingStamp(1, 1, 1, 0), ItemFactsValue.Encode(new(attributes, 1, 1), 1, 1));
        }
    }
}
