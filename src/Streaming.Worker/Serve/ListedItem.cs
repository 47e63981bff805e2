namespace Streaming.Worker.Serve;

/// <summary>An item of a list that does not depend on a user.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A display title, if known.</param>
/// <param name="Events">Number of its events that the model was trained on.</param>
public sealed record ListedItem(string Item, string? Title, long Events);
