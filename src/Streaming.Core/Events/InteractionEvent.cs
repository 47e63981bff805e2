namespace Streaming.Core.Events;

/// <summary>
/// One interaction as it was decoded: views into the record's bytes, valid only until the next record is decoded.
/// Nothing is checked yet but the encoding: <see cref="EventRules"/> does that.
/// </summary>
public readonly ref struct InteractionEvent
{
    /// <summary>Longest user id, item id, event id or type, in UTF-8 bytes.</summary>
    public const int MaxIdBytes = 256;

    /// <summary>Gets the user's id, UTF-8.</summary>
    public ReadOnlySpan<byte> UserId { get; init; }

    /// <summary>Gets the item's id, UTF-8.</summary>
    public ReadOnlySpan<byte> ItemId { get; init; }

    /// <summary>Gets the type ("view", "click", …), UTF-8. Empty: the producer named none.</summary>
    public ReadOnlySpan<byte> Type { get; init; }

    /// <summary>Gets the event's own id, UTF-8, by which a second delivery is recognised. Empty: none.</summary>
    public ReadOnlySpan<byte> EventId { get; init; }

    /// <summary>Gets when it happened, Unix milliseconds. 0: the producer said nothing.</summary>
    public long EventTime { get; init; }

    /// <summary>Gets the value of the interaction (price, rating, …), or null.</summary>
    public double? Value { get; init; }

    /// <summary>Gets for how long the user stayed, in milliseconds, or null.</summary>
    public long? DwellTime { get; init; }
}
