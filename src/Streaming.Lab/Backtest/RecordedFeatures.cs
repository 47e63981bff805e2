using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Worker.Serve;

namespace Streaming.Lab.Backtest;

/// <summary>Features that live training has of the records of item files: values, or hashed from text, by the same code.</summary>
internal static class RecordedFeatures
{
    /// <summary>The features of items.</summary>
    /// <param name="catalogue">The item files.</param>
    /// <param name="groups">The groups.</param>
    /// <param name="items">Item ids, in row order.</param>
    public static ItemFeatures Of(ItemCatalogue catalogue, IReadOnlyList<FeatureGroup> groups, IReadOnlyList<string> items) =>
        new(groups, () => Rows(catalogue, groups, items), item => Change(catalogue, item));

    /// <summary>Says for each group how many of the items have nothing of it.</summary>
    public static string Describe(ItemCatalogue catalogue, IReadOnlyList<FeatureGroup> groups, IReadOnlyList<string> items) =>
        string.Join(
            "; ",
            groups.Select(group =>
                FormattableString.Invariant($"{group}: {(group.IsHashed ? "hashed as `run` does" : "values of the item files")}; ")
                + FormattableString.Invariant($"{items.Count(item => !Has(catalogue, item, group))} of {items.Count} items have none")
            )
        );

    private static bool Has(ItemCatalogue catalogue, string item, FeatureGroup group) =>
        group.IsHashed
            ? catalogue.Find(item) is { } text && group.Fields.Any(field => text.ContainsKey(field.Name))
            : catalogue.FeaturesOf(item).ContainsKey(group.Name);

    private static ItemChange? Change(ItemCatalogue catalogue, string item) =>
        catalogue.Find(item) is not { } text
            ? null
            : new ItemChange
            {
                ItemId = item,
                ItemKey = XxHash64.Hash(Encoding.UTF8.GetBytes(item)),
                Text = text,
                Features = catalogue.FeaturesOf(item),
            };

    private static float[][] Rows(ItemCatalogue catalogue, IReadOnlyList<FeatureGroup> groups, IReadOnlyList<string> items)
    {
        var reader = new FeatureReader(groups);
        float[][] rows = new float[items.Count][];
        for (int row = 0; row < rows.Length; row++)
        {
            rows[row] = new float[reader.Values.Length];
            if (Change(catalogue, items[row]) is { } change && reader.Read(change) is null)
            {
                reader.Values.CopyTo(rows[row]);
            }
        }

        return rows;
    }
}
