using System.Text.Json;
using Streaming.Formats.Records;

namespace Streaming.Formats.Json;

/// <summary>Reads one JSON value into a tree.</summary>
public static class JsonTree
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = RecordTree.MaxDepth };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Reads a record that is one JSON value, with or without a byte order mark.</summary>
    /// <returns>False when it is not valid.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, RecordTree record)
    {
        ArgumentNullException.ThrowIfNull(record);
        json = json.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json;
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            return TryRead(ref reader, json, record) && !reader.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reader reports malformed input (JsonException), or invalid escapes (InvalidOperationException).
            return false;
        }
    }

    /// <summary>Reads the value at the start of a buffer.</summary>
    /// <param name="json">The value, possibly followed by others.</param>
    /// <param name="isAll">Whether the input ends with the buffer.</param>
    /// <param name="record">Receives the values.</param>
    /// <param name="consumed">The value's length in bytes.</param>
    /// <returns>False when the value does not end within the buffer.</returns>
    /// <exception cref="JsonException">It is not JSON.</exception>
    internal static bool TryReadFirst(ReadOnlySpan<byte> json, bool isAll, RecordTree record, out int consumed)
    {
        var reader = new Utf8JsonReader(json, isAll, new JsonReaderState(Options));
        bool isWhole = TryRead(ref reader, json, record);
        consumed = (int)reader.BytesConsumed;
        return isWhole;
    }

    private static bool TryRead(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, RecordTree record)
    {
        record.Clear();
        TextRange name = default;
        int depth = 0;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = Text(ref reader, record);
                    continue;
                case JsonTokenType.StartObject:
                    record.StartObject(name);
                    depth++;
                    break;
                case JsonTokenType.StartArray:
                    record.StartList(name);
                    depth++;
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    record.End();
                    depth--;
                    break;
                case JsonTokenType.String:
                    record.Add(name, ValueKind.Text, Text(ref reader, record));
                    break;
                case JsonTokenType.Number:
                    record.Add(name, ValueKind.Number, record.Append(reader.ValueSpan));
                    break;
                case JsonTokenType.True or JsonTokenType.False:
                    record.AddBoolean(name, reader.TokenType == JsonTokenType.True);
                    break;
                default:
                    record.AddNull(name);
                    break;
            }

            name = default;
            if (depth == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static TextRange Text(ref Utf8JsonReader reader, RecordTree record)
    {
        if (!reader.ValueIsEscaped)
        {
            return record.Append(reader.ValueSpan);
        }

        Span<byte> room = record.Reserve(reader.ValueSpan.Length);
        return record.Take(reader.CopyString(room));
    }
}
