using Streaming.Core.Embeddings;

namespace Streaming.Core.Refreshes;

/// <summary>A fresh embedding of one item, on its way to the serving tier, or the removal of the item.</summary>
/// <param name="ItemKey">Hash of the item's id.</param>
/// <param name="ItemId">The item's id.</param>
/// <param name="Vector">The embedding at full width D, or null when the item was removed.</param>
/// <param name="Step">Training step after which the vector was encoded, 0 and up.</param>
/// <param name="EventTime">Time of the newest event that the vector was trained on, Unix milliseconds; 0 when none.</param>
/// <param name="ProducedTime">When the oldest unpublished record that touched the item was produced, Unix milliseconds:
/// the start of the freshness measurement. 0 when the item is refreshed only because shared weights changed.</param>
public readonly record struct Refresh(ulong ItemKey, string ItemId, float[]? Vector, long Step, long EventTime, long ProducedTime)
{
    /// <summary>Gets the item's lists; null: none are published.</summary>
    public RelatedItems? Related { get; init; }

    /// <summary>Gets what is known of the item; published where attributes are.</summary>
    public ItemFacts Facts { get; init; }
}
