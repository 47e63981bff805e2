using Streaming.Core.Generations;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Recommended items for a user.</summary>
/// <param name="Model">Version of the user tower.</param>
/// <param name="History">The items used, oldest first; excludes items without an embedding.</param>
/// <param name="Items">The items, best first. A score is the cosine, or the inner product where the model ranks by that; of a fused
/// ranking it is the sum of reciprocal ranks.</param>
/// <param name="IsFused">Whether counts had a part in the ranking.</param>
public sealed record Recommendation(ModelVersion Model, IReadOnlyList<string> History, IReadOnlyList<Neighbour> Items, bool IsFused = false)
{
    /// <summary>Gets a value indicating whether no item of a history was known: the items are those of a new user.</summary>
    public bool IsNewUser => History.Count == 0;
}
