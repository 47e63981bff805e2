namespace Streaming.Models.Options;

/// <summary>Placement of a block's norms.</summary>
public enum NormPlacement
{
    /// <summary>Pre-norm, before each half: x + f(norm(x)) [fMRLRec].</summary>
    Before,

    /// <summary>Post-norm, after each half: norm(x + f(x)) [LRURec].</summary>
    After,
}
