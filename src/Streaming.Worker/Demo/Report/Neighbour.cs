namespace Streaming.Worker;

/// <summary>A neighbour.</summary>
internal sealed record Neighbour(string Item, string? Title, double Score);
