using System.Text.Json.Nodes;

namespace Streaming.Formats.Schemas;

/// <summary>
/// Logical types that do not suit their type mean nothing (Avro 1.12, "Logical Types": implementations must ignore them); the Avro library
/// refuses the whole schema for one.
/// </summary>
internal static class AvroLogicalTypes
{
    private const string LogicalType = "logicalType";

    /// <summary>Removes them from a schema.</summary>
    /// <param name="schema">The schema's text.</param>
    /// <returns>The schema without them; the text itself where it is not JSON, or has none.</returns>
    public static string WithoutUnsuitable(string schema)
    {
        if (!schema.Contains(LogicalType, StringComparison.Ordinal))
        {
            return schema;
        }

        try
        {
            var root = JsonNode.Parse(schema);
            Visit(root);
            return root?.ToJsonString() ?? schema;
        }
        catch (Exception exception) when (exception is System.Text.Json.JsonException or ArgumentException)
        {
            return schema; // The library says what is wrong with it.
        }
    }

    private static void Visit(JsonNode? node)
    {
        if (node is JsonObject type)
        {
            if (type[LogicalType] is JsonValue logical && !Suits(type, logical.ToString()))
            {
                type.Remove(LogicalType);
            }

            foreach ((_, JsonNode? child) in type)
            {
                Visit(child);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (JsonNode? child in list)
            {
                Visit(child);
            }
        }
    }

    private static bool Suits(JsonObject type, string logical)
    {
        string stored = type["type"] is JsonValue name ? name.ToString() : string.Empty;
        return logical switch
        {
            "date" or "time-millis" => stored == "int",
            "time-micros" => stored == "long",
            "decimal" => stored is "bytes" or "fixed" && IsDecimal(type),
            "uuid" => stored == "string" || (stored == "fixed" && Number(type, "size") == 16),
            _ when logical.Contains("timestamp-", StringComparison.Ordinal) => stored == "long",
            _ => true,
        };
    }

    private static bool IsDecimal(JsonObject type)
    {
        int precision = Number(type, "precision");
        int scale = type.ContainsKey("scale") ? Number(type, "scale") : 0;
        return precision > 0 && scale >= 0 && scale <= precision;
    }

    private static int Number(JsonObject type, string name) =>
        type[name] is JsonValue value && value.TryGetValue(out int number) ? number : -1;
}
