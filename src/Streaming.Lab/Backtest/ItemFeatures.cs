using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Frozen feature vectors of items, made from the columns of CSV files.</summary>
/// <param name="Groups">Feature groups, one a file.</param>
/// <param name="Rows">Vector of each item, all groups end to end; zeros for an item that no file has.</param>
internal sealed record ItemFeatures(IReadOnlyList<FeatureGroup> Groups, IReadOnlyList<float[]> Rows);
