using System.Text.Json;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Reads <c>item.schema.json</c> into the same message that Protobuf gives, so that the rules exist once.</summary>
internal static class JsonItemReader
{
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 16 };

    public static DeadLetterReason Read(ReadOnlySpan<byte> json, ItemLimits limits, out Item? item)
    {
        item = new Item();
        try
        {
            Utf8JsonReader reader = new(json, ReaderOptions);
            DeadLetterReason reason = ReadItem(ref reader, limits, item);

            // Nothing but white space may follow: Read throws on anything else.
            return reason == DeadLetterReason.None && reader.Read() ? DeadLetterReason.Malformed : reason;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return DeadLetterReason.Malformed;
        }
    }

    private static DeadLetterReason ReadItem(ref Utf8JsonReader reader, ItemLimits limits, Item item)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return DeadLetterReason.Malformed;
        }

        DeadLetterReason reason = DeadLetterReason.None;
        while (reason == DeadLetterReason.None && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("item_id"u8))
            {
                reader.Read();
                item.ItemId = reader.TokenType == JsonTokenType.Null ? string.Empty : reader.GetString();
            }
            else if (reader.ValueTextEquals("features"u8))
            {
                item.Features.Clear();
                reason = ReadFeatures(ref reader, limits, item);
            }
            else if (reader.ValueTextEquals("text"u8))
            {
                item.Text.Clear();
                reason = ReadText(ref reader, limits, item);
            }
            else if (reader.ValueTextEquals("attributes"u8))
            {
                item.Attributes.Clear();
                reason = ReadAttributes(ref reader, limits, item);
            }
            else
            {
                reader.Skip();
            }
        }

        return reason;
    }

    private static DeadLetterReason ReadAttributes(ref Utf8JsonReader reader, ItemLimits limits, Item item)
    {
        if (!TryEnterObject(ref reader, out DeadLetterReason reason))
        {
            return reason;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (!limits.Categories.Contains(name) && !limits.Attributes.Any(attribute => attribute.Name == name))
            {
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.Null)
            {
                AttributeValue value = new();
                if (!TryReadAttribute(ref reader, limits, value))
                {
                    return DeadLetterReason.Malformed;
                }

                item.Attributes[name] = value;
            }
        }

        return DeadLetterReason.None;
    }

    private static bool TryReadAttribute(ref Utf8JsonReader reader, ItemLimits limits, AttributeValue value)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                value.Texts.Add(reader.GetString());
                return true;
            case JsonTokenType.Number:
                value.Number = reader.GetDouble();
                return true;
            case JsonTokenType.True or JsonTokenType.False:
                value.Boolean = reader.TokenType == JsonTokenType.True;
                return true;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    // One more than allowed is enough to say that there are too many.
                    if (value.Texts.Count <= limits.MaxAttributeTexts)
                    {
                        value.Texts.Add(reader.GetString());
                    }
                }

                return reader.TokenType == JsonTokenType.EndArray;
            default:
                return false;
        }
    }

    private static DeadLetterReason ReadFeatures(ref Utf8JsonReader reader, ItemLimits limits, Item item)
    {
        if (!TryEnterObject(ref reader, out DeadLetterReason reason))
        {
            return reason;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            Features group = new();
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return DeadLetterReason.Malformed;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
            {
                if (group.Values.Count == limits.MaxGroupLength)
                {
                    return DeadLetterReason.TooManyFeatures;
                }

                // Beyond float's range is infinite, and refused as a number with the others.
                group.Values.Add((float)reader.GetDouble());
            }

            if (reader.TokenType != JsonTokenType.EndArray)
            {
                return DeadLetterReason.Malformed;
            }

            item.Features[name] = group;
        }

        return DeadLetterReason.None;
    }

    private static DeadLetterReason ReadText(ref Utf8JsonReader reader, ItemLimits limits, Item item)
    {
        if (!TryEnterObject(ref reader, out DeadLetterReason reason))
        {
            return reason;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
            {
                return DeadLetterReason.Malformed;
            }

            if (item.Text.Count > limits.MaxTextFields)
            {
                return DeadLetterReason.TooManyFeatures;
            }

            item.Text[name] = reader.GetString();
        }

        return DeadLetterReason.None;
    }

    private static bool TryEnterObject(ref Utf8JsonReader reader, out DeadLetterReason reason)
    {
        reader.Read();
        bool isObject = reader.TokenType == JsonTokenType.StartObject;
        reason = isObject || reader.TokenType == JsonTokenType.Null ? DeadLetterReason.None : DeadLetterReason.Malformed;
        return isObject;
    }
}
