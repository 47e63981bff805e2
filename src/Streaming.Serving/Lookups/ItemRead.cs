using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>What is known of one item of a read.</summary>
/// <param name="Status">Whether it was read.</param>
/// <param name="Fault">Why it was refused, if it was.</param>
/// <param name="Stamp">Generation, token, step and event time of what was read.</param>
public readonly record struct ItemRead(ItemStatus Status, EmbeddingFault Fault, EmbeddingStamp Stamp)
{
    /// <summary>Gets how the numbers of what was read are stored.</summary>
    public EmbeddingElement Element { get; init; }
}
