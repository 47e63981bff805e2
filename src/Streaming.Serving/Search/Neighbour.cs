namespace Streaming.Serving.Search;

/// <summary>An item that a search found.</summary>
/// <param name="Id">The item.</param>
/// <param name="Score">The inner product with the query, or the cosine times the query's length.</param>
public readonly record struct Neighbour(string Id, float Score);
