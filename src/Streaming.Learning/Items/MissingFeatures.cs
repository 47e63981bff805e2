using Streaming.Models.Options;

namespace Streaming.Learning.Items;

/// <summary>How many of the applied catalogue records lacked a feature group: their items have zeros there.</summary>
/// <param name="Group">The group.</param>
/// <param name="Records">Records since the stream's beginning.</param>
public readonly record struct MissingFeatures(FeatureGroup Group, long Records);
