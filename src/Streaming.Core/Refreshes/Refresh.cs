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
    /// <summary>Gets the item's lists; null: none are published, unless <see cref="KeepsRelated"/>.</summary>
    public RelatedItems? Related { get; init; }

    /// <summary>Gets a value indicating whether the published lists of the item are still right, so that they are not sent
    /// again.</summary>
    public bool KeepsRelated { get; init; }

    /// <summary>Gets a value indicating whether no event or record of the item is behind this: it is published after what events
    /// changed, and not written where the store holds the same numbers already.</summary>
    public bool IsUpkeep { get; init; }

    /// <summary>Gets what is known of the item; published where attributes are.</summary>
    public ItemFacts Facts { get; init; }

    /// <summary>This refresh, with what an older one of the same item has that this one leaves out.</summary>
    internal Refresh Over(in Refresh older) =>
        this with
        {
            ProducedTime = Earlier(older.ProducedTime, ProducedTime),
            IsUpkeep = older.IsUpkeep && IsUpkeep,
            Related = KeepsRelated ? older.Related : Related,
            KeepsRelated = KeepsRelated && older.KeepsRelated,
        };

    private static long Earlier(long a, long b) =>
        a == 0 ? b
        : b == 0 ? a
        : Math.Min(a, b);
}
