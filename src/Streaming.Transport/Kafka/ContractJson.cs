using System.Buffers;
using System.Text.Json;
using Streaming.Contracts;

namespace Streaming.Transport.Kafka;

/// <summary>Writes the contracts as JSON, as in <c>schemas/*.schema.json</c>.</summary>
internal static class ContractJson
{
    public static byte[] Write(Interaction interaction)
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("user_id"u8, interaction.UserId);
            json.WriteString("item_id"u8, interaction.ItemId);
            json.WriteString("type"u8, interaction.Type);
            json.WriteNumber("event_time_ms"u8, interaction.EventTimeMs);
            if (interaction.EventId.Length > 0)
            {
                json.WriteString("event_id"u8, interaction.EventId);
            }

            if (interaction.HasValue)
            {
                json.WriteNumber("value"u8, interaction.Value);
            }

            if (interaction.HasDwellMs)
            {
                json.WriteNumber("dwell_ms"u8, interaction.DwellMs);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Write(Item item)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("item_id"u8, item.ItemId);
            json.WriteStartObject("features"u8);
            foreach ((string name, Features group) in item.Features)
            {
                json.WriteStartArray(name);
                foreach (float value in group.Values)
                {
                    json.WriteNumberValue(value);
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteStartObject("text"u8);
            foreach ((string name, string text) in item.Text)
            {
                json.WriteString(name, text);
            }

            json.WriteEndObject();
            if (item.Attributes.Count > 0)
            {
                json.WriteStartObject("attributes"u8);
                foreach ((string name, AttributeValue value) in item.Attributes)
                {
                    json.WritePropertyName(name);
                    Write(value, json);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(AttributeValue value, Utf8JsonWriter json)
    {
        if (value.HasNumber)
        {
            json.WriteNumberValue(value.Number);
        }
        else if (value.HasBoolean)
        {
            json.WriteBooleanValue(value.Boolean);
        }
        else
        {
            json.WriteStartArray();
            foreach (string text in value.Texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }
    }
}
