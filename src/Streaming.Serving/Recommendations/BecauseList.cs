using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Items that are recommended because of one item of the user's.</summary>
/// <param name="Because">The user's item.</param>
/// <param name="Items">The items nearest to it by cosine, nearest first.</param>
public sealed record BecauseList(string Because, IReadOnlyList<Neighbour> Items);
