namespace Streaming.Worker.Serve;

/// <summary>What a lookup of one item brought.</summary>
/// <param name="Vector">Its vector; null when there is none.</param>
/// <param name="Refused">Why the value that is there cannot be read; null when it can, or when there is none.</param>
public readonly record struct ItemLookup(ItemVector? Vector, string? Refused);
