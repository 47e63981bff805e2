namespace Streaming.Formats.Files;

/// <summary>An event read from a file.</summary>
/// <param name="User">User id.</param>
/// <param name="Item">Item id.</param>
/// <param name="Time">When it happened, Unix milliseconds.</param>
/// <param name="Type">The event type: "view", "click", "purchase", ….</param>
/// <param name="EventId">The event's own id, or null.</param>
/// <param name="Value">The value: price, rating, …, or null.</param>
/// <param name="Dwell">The dwell time in milliseconds, or null.</param>
public readonly record struct EventRow(
    string User,
    string Item,
    long Time,
    string Type,
    string? EventId,
    double? Value = null,
    long? Dwell = null
);
