using Streaming.Core.Items;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Features of items for a model.</summary>
/// <param name="groups">Feature groups; empty: the items have no features.</param>
/// <param name="rows">Makes each item's vector, all groups concatenated; zeros for items in no file.</param>
/// <param name="change">Gives an item's catalogue record, as a stream brings it; null for items in no file.</param>
internal sealed class ItemFeatures(IReadOnlyList<FeatureGroup> groups, Func<IReadOnlyList<float[]>> rows, Func<string, ItemChange?> change)
{
    private readonly Lazy<IReadOnlyList<float[]>> _rows = new(rows);

    /// <summary>Gets the feature groups.</summary>
    public IReadOnlyList<FeatureGroup> Groups => groups;

    /// <summary>Gets each item's vector, all groups concatenated. Made at the first use: a stream does without.</summary>
    public IReadOnlyList<float[]> Rows => _rows.Value;

    /// <summary>An item's catalogue record, as a stream brings it; null for items in no file.</summary>
    public ItemChange? Change(string item) => change(item);
}
