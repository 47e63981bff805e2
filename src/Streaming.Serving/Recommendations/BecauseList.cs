using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Items that are recommended because of one item of the user's.</summary>
/// <param name="Because">The user's item.</param>
/// <param name="Items">The items that are similar to it, best first. A score is the cosine; of a fused ranking it is the sum of
/// reciprocal ranks.</param>
/// <param name="IsFused">Whether counts had a part in the ranking.</param>
public sealed record BecauseList(string Because, IReadOnlyList<Neighbour> Items, bool IsFused = false);
