using Streaming.Core.Generations;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Recommended items for a user.</summary>
/// <param name="Model">Version of the user tower.</param>
/// <param name="History">The items used, oldest first; excludes items without an embedding.</param>
/// <param name="Items">The items, best first. A score is the cosine, or the inner product if the model ranks by that.</param>
public sealed record Recommendation(ModelVersion Model, IReadOnlyList<string> History, IReadOnlyList<Neighbour> Items);
