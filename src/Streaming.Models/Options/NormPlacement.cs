namespace Streaming.Models.Options;

/// <summary>Where the norms of a block stand.</summary>
public enum NormPlacement
{
    /// <summary>Before each half: x + f(norm(x)) [fMRLRec].</summary>
    Before,

    /// <summary>After each half: norm(x + f(x)) [LRURec].</summary>
    After,
}
