namespace Streaming.Formats.Files;

/// <summary>An event as a file has it.</summary>
/// <param name="User">User id.</param>
/// <param name="Item">Item id.</param>
/// <param name="Time">When it happened, Unix milliseconds.</param>
/// <param name="Type">What it was: "view", "click", "purchase", ….</param>
/// <param name="EventId">The event's own id, or null.</param>
/// <param name="Value">How much: price, rating, …, or null.</param>
/// <param name="Dwell">For how long, in milliseconds, or null.</param>
public readonly record struct EventRow(string User, string Item, long Time, string Type, string? EventId, double? Value = null, long? Dwell = null);
