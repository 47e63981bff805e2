namespace Streaming.Core.Embeddings;

/// <summary>The version of an embedding: which model it belongs to, who wrote it and when.</summary>
/// <param name="Generation">Generation of the embedding space. Vectors of different generations cannot be compared.</param>
/// <param name="Token">Fencing token of the trainer that wrote it.</param>
/// <param name="Step">Training step after which the vector was encoded, 0 … 2⁴⁸ − 1.</param>
/// <param name="EventTime">Time of the newest event it was trained on, Unix milliseconds, 0 … 2⁴⁸ − 1; 0 when none.</param>
public readonly record struct EmbeddingStamp(uint Generation, uint Token, long Step, long EventTime)
{
    /// <summary>The largest step and event time that a value can carry.</summary>
    public const long MaxCounter = (1L << 48) - 1;

    /// <summary>Returns whether this replaces <paramref name="stored"/> in the store: compares tokens, then steps; a tie
    /// replaces.</summary>
    public bool Replaces(EmbeddingStamp stored) => Token != stored.Token ? Token > stored.Token : Step >= stored.Step;
}
