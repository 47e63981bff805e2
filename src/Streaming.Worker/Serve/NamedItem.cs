namespace Streaming.Worker.Serve;

/// <summary>An item.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A display title, if known.</param>
public sealed record NamedItem(string Item, string? Title);
