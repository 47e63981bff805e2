using System.Text.Json;
using Streaming.Core.Events;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Says which field of a JSON event keeps it from being the contract's. Only for records that are refused: it reads them again.
/// </summary>
internal static class EventFault
{
    private const string OtherNames = "STREAMING__Kafka__InteractionsColumns reads other names and shapes";

    private static readonly string IdText = FormattableString.Invariant($"a text of at most {InteractionEvent.MaxIdBytes} bytes");

    private static readonly (string Name, string Allowed, Func<JsonElement, bool> IsGood)[] Fields =
    [
        ("user_id", IdText, IsText),
        ("item_id", IdText, IsText),
        ("type", IdText, IsText),
        ("event_id", IdText, IsText),
        ("event_time_ms", "a whole number, Unix milliseconds", IsInteger),
        ("dwell_ms", "a whole number", IsInteger),
        ("value", "a number", static value => value.ValueKind == JsonValueKind.Number),
    ];

    /// <summary>The fault; null: it is none of the contract's fields by itself, but what its values mean.</summary>
    /// <param name="json">The record's value, with or without a header.</param>
    /// <param name="reason">Why it is refused.</param>
    public static string? Describe(ReadOnlySpan<byte> json, DeadLetterReason reason)
    {
        using JsonDocument? document = ValueFault.TryParse(json);
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        try
        {
            return Describe(document.RootElement, reason);
        }
        catch (InvalidOperationException)
        {
            return ValueFault.NotText(json);
        }
    }

    private static string? Describe(JsonElement record, DeadLetterReason reason) =>
        reason switch
        {
            DeadLetterReason.Malformed or DeadLetterReason.IdTooLong => WrongKind(record),
            DeadLetterReason.NoUser => Missing(record, "user_id"),
            DeadLetterReason.NoItem => Missing(record, "item_id"),
            DeadLetterReason.NoTime => Missing(record, "event_time_ms"),
            _ => null,
        };

    private static string? WrongKind(JsonElement record)
    {
        foreach ((string name, string allowed, Func<JsonElement, bool> isGood) in Fields)
        {
            if (record.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null && !isGood(value))
            {
                return $"{name} is {ValueFault.Shown(value)}; allowed: {allowed}; {OtherNames}";
            }
        }

        return null;
    }

    private static string? Missing(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value)
            ? $"{name} is {ValueFault.Shown(value)}"
            : $"{name} is missing; {ValueFault.NamesOf(record)}; {OtherNames}";

    private static bool IsText(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
        && System.Text.Encoding.UTF8.GetByteCount(value.GetString()!) <= InteractionEvent.MaxIdBytes;

    private static bool IsInteger(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _);
}
