using System.Globalization;
using System.Text.Json;
using Streaming.Core.Items;
using Streaming.Serving.Filters;

namespace Streaming.Serving.Tests.Filters;

/// <summary>An item with attributes, and by plain loops what a filter says of it.</summary>
internal sealed record FilteredItem(float[] Vector, string? Category, string[] Tags, double? Price, bool? Available)
{
    public static readonly AttributeDefinition[] Fields =
    [
        new("category", AttributeKind.Text),
        new("tags", AttributeKind.Texts),
        new("price", AttributeKind.Number),
        new("available", AttributeKind.Boolean),
    ];

    public string? Json
    {
        get
        {
            Dictionary<string, object> values = [];
            if (Category is not null)
            {
                values["category"] = Category;
            }

            if (Tags.Length > 0)
            {
                values["tags"] = Tags;
            }

            if (Price is { } price)
            {
                values["price"] = price;
            }

            if (Available is { } available)
            {
                values["available"] = available;
            }

            return values.Count == 0 ? null : JsonSerializer.Serialize(values);
        }
    }

    public static FilteredItem Some(Random random, float[] vector) =>
        new(
            vector,
            random.Next(10) == 0 ? null : $"c{Math.Min(random.Next(40), random.Next(40))}",
            [.. Enumerable.Range(0, random.Next(5)).Select(_ => $"t{random.Next(60)}").Distinct()],
            random.Next(10) == 0 ? null : random.Next(1000) / 10.0,
            random.Next(10) == 0 ? null : random.Next(2) == 0
        );

    public static ItemCondition SomeCondition(Random random)
    {
        int low = random.Next(100);
        string text = random.Next(6) switch
        {
            0 => $"category:c{random.Next(40)}",
            1 => $"category:{string.Join('|', Enumerable.Range(0, random.Next(2, 9)).Select(_ => $"c{random.Next(45)}"))}",
            2 => $"tags:{string.Join('|', Enumerable.Range(0, random.Next(1, 9)).Select(_ => $"t{random.Next(65)}"))}",
            3 => string.Create(CultureInfo.InvariantCulture, $"price:{low}..{low + random.Next(30)}"),
            4 => random.Next(2) == 0 ? $"price:{low}.." : $"price:..{low}",
            _ => $"available:{(random.Next(2) == 0 ? "true" : "false")}",
        };
        return ItemCondition.Parse(text);
    }

    public static ItemFilter SomeFilter(Random random) =>
        new()
        {
            Must = [.. Enumerable.Range(0, random.Next(3)).Select(_ => SomeCondition(random))],
            Any = [.. Enumerable.Range(0, random.Next(3)).Select(_ => SomeCondition(random))],
            Not = [.. Enumerable.Range(0, random.Next(2)).Select(_ => SomeCondition(random))],
        };

    public bool Passes(ItemFilter? filter) =>
        filter is null || (filter.Must.All(Meets) && (filter.Any.Count == 0 || filter.Any.Any(Meets)) && !filter.Not.Any(Meets));

    public bool Meets(ItemCondition condition) =>
        condition.Field switch
        {
            "category" => Category is not null && condition.In.Contains(Category),
            "tags" => Tags.Any(condition.In.Contains),
            "available" => Available is { } available && condition.In.Contains(available ? "true" : "false"),
            _ => Price is { } price && (condition.From ?? double.MinValue) <= price && price <= (condition.To ?? double.MaxValue),
        };
}
