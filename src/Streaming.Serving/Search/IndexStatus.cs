using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>Status of an index.</summary>
/// <param name="Phase">Its availability.</param>
/// <param name="Generation">The generation of its items.</param>
/// <param name="Items">Number of items.</param>
/// <param name="Age">Time since it last matched the store.</param>
/// <param name="Load">The load in progress, of the first generation or of the next.</param>
/// <param name="Error">Why the last refresh failed; null when it succeeded.</param>
public sealed record IndexStatus(IndexPhase Phase, uint Generation, int Items, TimeSpan Age, IndexLoad? Load, string? Error)
{
    /// <summary>Gets a value indicating whether the index can answer.</summary>
    public bool CanAnswer => Phase is IndexPhase.Fresh or IndexPhase.Stale;

    /// <summary>Gets the status of the approximate search; null: every search is exact.</summary>
    public GraphStatus? Graph { get; init; }
}
