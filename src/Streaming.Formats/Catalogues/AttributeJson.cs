using System.Buffers;
using System.Text;
using System.Text.Json;
using Streaming.Formats.Records;

namespace Streaming.Formats.Catalogues;

/// <summary>Writes a record's attributes as they were read.</summary>
internal static class AttributeJson
{
    /// <summary>The JSON of an object.</summary>
    public static string Write(RecordValue value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(value, json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(RecordValue value, Utf8JsonWriter json)
    {
        switch (value.Kind)
        {
            case ValueKind.Fields:
                json.WriteStartObject();
                for (RecordValue field = value.First; field.Kind != ValueKind.Missing; field = field.Next)
                {
                    json.WritePropertyName(field.Name);
                    Write(field, json);
                }

                json.WriteEndObject();
                break;
            case ValueKind.List:
                json.WriteStartArray();
                for (RecordValue part = value.First; part.Kind != ValueKind.Missing; part = part.Next)
                {
                    Write(part, json);
                }

                json.WriteEndArray();
                break;
            case ValueKind.Boolean or ValueKind.Number:
                json.WriteRawValue(value.Text);
                break;
            case ValueKind.Null:
                json.WriteNullValue();
                break;
            case ValueKind.Time or ValueKind.LocalTime:
                json.WriteNumberValue(value.Milliseconds);
                break;
            default:
                json.WriteStringValue(value.Text);
                break;
        }
    }
}
