namespace Streaming.Serving.Graphs;

/// <summary>What a graph is made for.</summary>
/// <param name="Width">Numbers of each vector.</param>
/// <param name="Capacity">The most vectors.</param>
/// <param name="Threads">The most threads that add vectors at a time.</param>
/// <param name="Candidates">Vectors that a search keeps while it looks: <see cref="ApproximateOptions.Candidates"/>.</param>
public readonly record struct GraphShape(int Width, int Capacity, int Threads, int Candidates);
