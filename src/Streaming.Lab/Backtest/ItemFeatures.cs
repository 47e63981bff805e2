using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Frozen feature vectors of items, made from the columns of CSV files.</summary>
/// <param name="Groups">Feature groups, one per file.</param>
/// <param name="Rows">Each item's vector, all groups concatenated; zeros for items in no file.</param>
internal sealed record ItemFeatures(IReadOnlyList<FeatureGroup> Groups, IReadOnlyList<float[]> Rows);
