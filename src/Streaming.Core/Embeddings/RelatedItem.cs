namespace Streaming.Core.Embeddings;

/// <summary>An item in another item's list.</summary>
/// <param name="Item">Hash of its id (<see cref="RedisKeys.Hash"/>).</param>
/// <param name="Weight">How strongly it is related, above 0.</param>
public readonly record struct RelatedItem(ulong Item, float Weight);
