using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>The result of a read for one item.</summary>
/// <param name="Status">Whether it was read.</param>
/// <param name="Fault">Why it was rejected, if it was.</param>
/// <param name="Stamp">Generation, token, step and event time of the value.</param>
public readonly record struct ItemRead(ItemStatus Status, EmbeddingFault Fault, EmbeddingStamp Stamp)
{
    /// <summary>Gets the element type of the value.</summary>
    public EmbeddingElement Element { get; init; }
}
