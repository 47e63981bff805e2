namespace Streaming.Core.Embeddings;

/// <summary>What is known of an item besides its embedding.</summary>
/// <param name="Attributes">Its attributes, a JSON object of UTF-8; null: none.</param>
/// <param name="Events">Number of its events that the model was trained on since the item is known.</param>
/// <param name="Since">Time of the event or catalogue record by which it became known, Unix milliseconds; 0: unknown.</param>
public readonly record struct ItemFacts(string? Attributes, long Events, long Since);
