namespace Streaming.Serving.Search;

/// <summary>How an index is.</summary>
/// <param name="Phase">What it can be asked for.</param>
/// <param name="Generation">The generation of its items.</param>
/// <param name="Items">How many there are.</param>
/// <param name="Age">How long ago it was last level with the store.</param>
/// <param name="Load">A load that is going on, of the first generation or of the next.</param>
/// <param name="Error">Why the last refresh failed; null when it did not.</param>
public sealed record IndexStatus(IndexPhase Phase, uint Generation, int Items, TimeSpan Age, IndexLoad? Load, string? Error)
{
    /// <summary>Gets a value indicating whether the index answers.</summary>
    public bool CanAnswer => Phase is IndexPhase.Fresh or IndexPhase.Stale;
}
