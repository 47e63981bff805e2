namespace Streaming.Core.Embeddings;

/// <summary>The constants of the ranking by counts: the trainer measures with them what the serving tier shows.</summary>
public static class CountFusion
{
    /// <summary>
    /// A list gives an item weight / (<see cref="RankConstant"/> + rank), rank 0 the best (Cormack, Clarke, Büttcher 2009).
    /// </summary>
    public const float RankConstant = 40;

    /// <summary>The weight of an item's neighbors falls by this factor with each older item of the history.</summary>
    public const float HistoryDecay = 0.8f;

    /// <summary>The weight of the list of successors; the other lists have 1.</summary>
    public const float SuccessorWeight = 0.5f;

    /// <summary>The length of the vector's list.</summary>
    public const int VectorItems = 256;
}
