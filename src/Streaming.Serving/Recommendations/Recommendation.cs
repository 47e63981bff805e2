using Streaming.Core.Generations;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>What to show a user.</summary>
/// <param name="Model">State of the user tower that made it.</param>
/// <param name="History">The items that it was made from, oldest first; items without an embedding are not among them.</param>
/// <param name="Items">The items, best first. A score is the cosine, or the inner product where the model ranks by that; of a fused
/// ranking it is the sum of reciprocal ranks.</param>
/// <param name="IsFused">Whether counts had a part in the ranking.</param>
public sealed record Recommendation(ModelVersion Model, IReadOnlyList<string> History, IReadOnlyList<Neighbour> Items, bool IsFused = false);
