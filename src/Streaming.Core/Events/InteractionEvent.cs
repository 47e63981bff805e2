namespace Streaming.Core.Events;

/// <summary>
/// A decoded interaction: views into the record's bytes, valid only until the next record is decoded. Only the encoding has
/// been checked; <see cref="EventRules"/> validates the rest.
/// </summary>
public readonly ref struct InteractionEvent
{
    /// <summary>Maximum length of a user id, item id, event id or type, in UTF-8 bytes.</summary>
    public const int MaxIdBytes = 256;

    /// <summary>Gets the user's id, UTF-8.</summary>
    public ReadOnlySpan<byte> UserId { get; init; }

    /// <summary>Gets the item's id, UTF-8.</summary>
    public ReadOnlySpan<byte> ItemId { get; init; }

    /// <summary>Gets the type ("view", "click", …), UTF-8. Empty: none given.</summary>
    public ReadOnlySpan<byte> Type { get; init; }

    /// <summary>Gets the event id, UTF-8, by which duplicates are recognised. Empty: none.</summary>
    public ReadOnlySpan<byte> EventId { get; init; }

    /// <summary>Gets when it happened, Unix milliseconds. 0: not given.</summary>
    public long EventTime { get; init; }

    /// <summary>Gets the value of the interaction (price, rating, …), or null.</summary>
    public double? Value { get; init; }

    /// <summary>Gets the dwell time in milliseconds, or null.</summary>
    public long? DwellTime { get; init; }
}
