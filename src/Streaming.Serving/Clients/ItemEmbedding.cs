using Streaming.Core.Embeddings;
using Streaming.Serving.Lookups;

namespace Streaming.Serving.Clients;

/// <summary>An item of a lookup.</summary>
/// <param name="Id">The item.</param>
/// <param name="Vector">The embedding [w]; null unless it was found.</param>
/// <param name="Status">Found, missing, or refused: present, but not readable as an embedding of this generation and width.</param>
/// <param name="Fault">Why it was refused.</param>
public readonly record struct ItemEmbedding(string Id, float[]? Vector, ItemStatus Status, EmbeddingFault Fault);
