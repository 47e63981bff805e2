namespace Streaming.Core.Embeddings;

/// <summary>What is known of an item besides its embedding.</summary>
/// <param name="Attributes">Its attributes, a JSON object of UTF-8; null: none.</param>
/// <param name="Events">Number of its events that the model was trained on since the item is known.</param>
/// <param name="Since">Time of the event or catalogue record by which it became known, Unix milliseconds; 0: unknown.</param>
public readonly record struct ItemFacts(string? Attributes, long Events, long Since)
{
    /// <summary>Gets how popular the item is of late: the time, Unix milliseconds, of one event that would weigh as much as all of the
    /// item's events together, when each weighs half after the trainer's half-life. It changes with events alone, so the items of any two
    /// times can be compared: the greatest is the most popular. 0: it had no event, or unknown.</summary>
    public long Popularity { get; init; }
}
