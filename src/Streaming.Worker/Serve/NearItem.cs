namespace Streaming.Worker.Serve;

/// <summary>A neighbour of an item.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A display title, if known.</param>
/// <param name="Score">Cosine, −1 … 1.</param>
public sealed record NearItem(string Item, string? Title, double Score);
