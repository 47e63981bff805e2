using System.Text.Json;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Says which field of a JSON catalogue record keeps it from being the contract's. Only for records that are refused: it reads them again.
/// </summary>
internal static class ItemFault
{
    /// <summary>The fault; null: it is none of the contract's fields.</summary>
    public static string? Describe(ReadOnlySpan<byte> json)
    {
        using JsonDocument? document = ValueFault.TryParse(json);
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        try
        {
            return Describe(document.RootElement);
        }
        catch (InvalidOperationException)
        {
            return ValueFault.NotText(json);
        }
    }

    private static string? Describe(JsonElement record)
    {
        foreach (JsonProperty field in record.EnumerateObject())
        {
            string? fault = field.Name switch
            {
                "item_id" when !IsTextOrNull(field.Value) => $"item_id is {ValueFault.Shown(field.Value)}; allowed: a text",
                "features" => Inner(
                    field,
                    "an object of lists of numbers",
                    static value =>
                        value.ValueKind == JsonValueKind.Array
                        && value.EnumerateArray().All(static number => number.ValueKind == JsonValueKind.Number)
                ),
                "text" => Inner(field, "an object of texts", static value => value.ValueKind == JsonValueKind.String),
                "attributes" => Inner(field, "an object of texts, lists of texts, numbers, true and false", IsAttribute),
                _ => null,
            };
            if (fault is not null)
            {
                return $"{fault}; STREAMING__Kafka__ItemsColumns reads other shapes";
            }
        }

        return null;
    }

    private static string? Inner(JsonProperty field, string allowed, Func<JsonElement, bool> isGood)
    {
        if (field.Value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (field.Value.ValueKind != JsonValueKind.Object)
        {
            return $"{field.Name} is {ValueFault.Shown(field.Value)}; allowed: {allowed}";
        }

        JsonProperty[] wrong = [.. field.Value.EnumerateObject().Where(property => !isGood(property.Value)).Take(1)];
        return wrong.Length == 0 ? null : $"{field.Name}.{wrong[0].Name} is {ValueFault.Shown(wrong[0].Value)}; allowed: {allowed}";
    }

    private static bool IsAttribute(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().All(static text => text.ValueKind == JsonValueKind.String)
            : value.ValueKind != JsonValueKind.Object;

    private static bool IsTextOrNull(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Null;
}
