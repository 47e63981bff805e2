using System.Text.Json;
using Streaming.Core.Events;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Decodes <c>interaction.schema.json</c>. Strings stay views into the record, or, where they have escapes, into four
/// buffers that are used again for the next record: nothing is allocated for a good record.
/// </summary>
internal sealed class JsonEventDecoder
{
    /// <summary>Nesting of what is skipped.</summary>
    private const int MaxDepth = 16;

    /// <summary>The longest form of an id: each byte as \u00XX.</summary>
    private const int MaxEscapedBytes = 6 * InteractionEvent.MaxIdBytes;

    private enum Field
    {
        Other,
        User,
        Item,
        Type,
        Time,
        Id,
        Value,
        Dwell,
    }

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };
    private readonly byte[] _user = new byte[MaxEscapedBytes];
    private readonly byte[] _item = new byte[MaxEscapedBytes];
    private readonly byte[] _type = new byte[MaxEscapedBytes];
    private readonly byte[] _eventId = new byte[MaxEscapedBytes];

    /// <summary>Decodes a JSON object. Of a property given twice the last counts; others are skipped.</summary>
    public DeadLetterReason Decode(ReadOnlySpan<byte> json, out InteractionEvent decoded)
    {
        try
        {
            return DecodeObject(json, out decoded);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reader's way to say malformed (JsonException), or invalid escapes (InvalidOperationException).
            decoded = default;
            return DeadLetterReason.Malformed;
        }
    }

    private DeadLetterReason DecodeObject(ReadOnlySpan<byte> json, out InteractionEvent decoded)
    {
        Utf8JsonReader reader = new(json, ReaderOptions);
        ReadOnlySpan<byte> user = default;
        ReadOnlySpan<byte> item = default;
        ReadOnlySpan<byte> type = default;
        ReadOnlySpan<byte> eventId = default;
        long time = 0;
        double? value = null;
        long? dwell = null;
        decoded = default;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return DeadLetterReason.Malformed;
        }

        DeadLetterReason reason = DeadLetterReason.None;
        while (reason == DeadLetterReason.None && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            switch (FieldOf(reader))
            {
                case Field.User:
                    reason = ReadText(ref reader, _user, out user);
                    break;
                case Field.Item:
                    reason = ReadText(ref reader, _item, out item);
                    break;
                case Field.Type:
                    reason = ReadText(ref reader, _type, out type);
                    break;
                case Field.Time:
                    reason = ReadInteger(ref reader, out long? milliseconds);
                    time = milliseconds ?? 0;
                    break;
                case Field.Id:
                    reason = ReadText(ref reader, _eventId, out eventId);
                    break;
                case Field.Value:
                    reason = ReadNumber(ref reader, out value);
                    break;
                case Field.Dwell:
                    reason = ReadInteger(ref reader, out dwell);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (reason != DeadLetterReason.None)
        {
            return reason;
        }

        // Nothing but white space may follow: Read throws on anything else.
        if (reader.Read())
        {
            return DeadLetterReason.Malformed;
        }

        decoded = new InteractionEvent
        {
            UserId = user,
            ItemId = item,
            Type = type,
            EventId = eventId,
            EventTime = time,
            Value = value,
            DwellTime = dwell,
        };
        return DeadLetterReason.None;
    }

    // By length first: at most two names are compared in place of seven.
    private static Field FieldOf(in Utf8JsonReader reader) =>
        reader.ValueSpan.Length switch
        {
            _ when reader.ValueIsEscaped => EscapedFieldOf(reader),
            4 when reader.ValueSpan.SequenceEqual("type"u8) => Field.Type,
            5 when reader.ValueSpan.SequenceEqual("value"u8) => Field.Value,
            7 when reader.ValueSpan.SequenceEqual("user_id"u8) => Field.User,
            7 when reader.ValueSpan.SequenceEqual("item_id"u8) => Field.Item,
            8 when reader.ValueSpan.SequenceEqual("event_id"u8) => Field.Id,
            8 when reader.ValueSpan.SequenceEqual("dwell_ms"u8) => Field.Dwell,
            13 when reader.ValueSpan.SequenceEqual("event_time_ms"u8) => Field.Time,
            _ => Field.Other,
        };

    private static Field EscapedFieldOf(in Utf8JsonReader reader) =>
        reader.ValueTextEquals("user_id"u8) ? Field.User
        : reader.ValueTextEquals("item_id"u8) ? Field.Item
        : reader.ValueTextEquals("event_time_ms"u8) ? Field.Time
        : reader.ValueTextEquals("type"u8) ? Field.Type
        : reader.ValueTextEquals("event_id"u8) ? Field.Id
        : reader.ValueTextEquals("value"u8) ? Field.Value
        : reader.ValueTextEquals("dwell_ms"u8) ? Field.Dwell
        : Field.Other;

    private static DeadLetterReason ReadText(scoped ref Utf8JsonReader reader, byte[] buffer, out ReadOnlySpan<byte> text)
    {
        text = default;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return DeadLetterReason.None;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            return DeadLetterReason.Malformed;
        }

        if (!reader.ValueIsEscaped)
        {
            text = reader.ValueSpan;
            return DeadLetterReason.None;
        }

        if (reader.ValueSpan.Length > buffer.Length)
        {
            return DeadLetterReason.IdTooLong;
        }

        text = buffer.AsSpan(0, reader.CopyString(buffer));
        return DeadLetterReason.None;
    }

    private static DeadLetterReason ReadInteger(scoped ref Utf8JsonReader reader, out long? value)
    {
        value = null;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number))
        {
            value = number;
            return DeadLetterReason.None;
        }

        return reader.TokenType == JsonTokenType.Null ? DeadLetterReason.None : DeadLetterReason.Malformed;
    }

    private static DeadLetterReason ReadNumber(scoped ref Utf8JsonReader reader, out double? value)
    {
        value = null;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double number))
        {
            value = number;
            return DeadLetterReason.None;
        }

        return reader.TokenType == JsonTokenType.Null ? DeadLetterReason.None : DeadLetterReason.Malformed;
    }
}
