namespace Streaming.Worker.Serve;

/// <summary>The result of looking up one item.</summary>
/// <param name="Vector">Its vector; null if the item has none.</param>
/// <param name="Refused">Why the stored value cannot be read; null if it can, or if there is none.</param>
public readonly record struct ItemLookup(ItemVector? Vector, string? Refused);
