namespace Streaming.Worker.Serve;

/// <summary>An item's embedding at the width that was asked for.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A title for people, where one is known.</param>
/// <param name="Step">Training step after which it was encoded.</param>
/// <param name="Vector">Its values.</param>
public sealed record ItemVector(string Item, string? Title, long Step, float[] Vector);
