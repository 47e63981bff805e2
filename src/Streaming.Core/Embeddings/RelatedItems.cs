namespace Streaming.Core.Embeddings;

/// <summary>What counting knows of an item: short lists of others, best first, so that a prefix is a shorter list.</summary>
/// <param name="Window">How many of a user's latest items the neighbors' weights are meant to be added over, 1 … 256.</param>
/// <param name="Neighbors">Items that users had together with it; the weight is the cosine of item-kNN, n(a, b) / √(n(a) · n(b)).</param>
/// <param name="Successors">Items that came right after it; the weight is the share of its events, n(a → b) / n(a).</param>
public sealed record RelatedItems(int Window, IReadOnlyList<RelatedItem> Neighbors, IReadOnlyList<RelatedItem> Successors);
