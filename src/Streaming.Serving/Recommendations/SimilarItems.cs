using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Items that are similar to an item.</summary>
/// <param name="Items">The items, best first. A score is the cosine of the vectors; of a fused ranking it is the sum of reciprocal
/// ranks.</param>
/// <param name="IsFused">Whether counts had a part in the ranking.</param>
public sealed record SimilarItems(IReadOnlyList<Neighbour> Items, bool IsFused);
