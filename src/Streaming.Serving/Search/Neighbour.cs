namespace Streaming.Serving.Search;

/// <summary>A search result.</summary>
/// <param name="Id">The item.</param>
/// <param name="Score">The inner product with the query, or the cosine times the query's norm.</param>
public readonly record struct Neighbour(string Id, float Score);
