using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.Collections;
using Streaming.Contracts;
using Streaming.Core.Embeddings;
using Streaming.Core.Events;
using Streaming.Core.Items;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Writes the declared attributes of a catalogue record as the JSON object that is published, and checks them.</summary>
/// <remarks>Sources have few types (a CSV file has one), so a value is converted to the declared kind where its text allows.</remarks>
internal sealed class AttributeWriter(ItemLimits limits)
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>Gets what is wrong with the record written last; null: nothing.</summary>
    public string? Fault { get; private set; }

    /// <summary>Writes the attributes of a record.</summary>
    /// <param name="item">The record.</param>
    /// <param name="json">The object; null when the record has none of the attributes, or is refused.</param>
    public DeadLetterReason Write(Item item, out string? json)
    {
        (Fault, json) = (null, null);
        if (limits.Attributes.Count == 0)
        {
            return DeadLetterReason.None;
        }

        _buffer.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_buffer, Json);
        writer.WriteStartObject();
        foreach (AttributeDefinition attribute in limits.Attributes)
        {
            DeadLetterReason reason = Write(writer, attribute, ValueOf(item, attribute.Name));
            if (reason != DeadLetterReason.None)
            {
                return reason;
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        if (_buffer.WrittenCount > ItemFactsValue.MaxAttributeBytes)
        {
            return Wrong(
                DeadLetterReason.TooManyFeatures,
                FormattableString.Invariant(
                    $"the attributes have {_buffer.WrittenCount} bytes as JSON; allowed: at most {ItemFactsValue.MaxAttributeBytes}"
                )
            );
        }

        json = _buffer.WrittenCount <= "{}".Length ? null : Encoding.UTF8.GetString(_buffer.WrittenSpan);
        return DeadLetterReason.None;
    }

    private static AttributeValue? ValueOf(Item item, string name) =>
        item.Attributes.TryGetValue(name, out AttributeValue? value) ? value
        : item.Text.TryGetValue(name, out string? text) ? new AttributeValue { Texts = { text } }
        : null;

    private DeadLetterReason Write(Utf8JsonWriter writer, AttributeDefinition attribute, AttributeValue? value)
    {
        if (value is null)
        {
            return DeadLetterReason.None;
        }

        RepeatedField<string> texts = TextsOf(value);
        return attribute.Kind == AttributeKind.Texts ? WriteTexts(writer, attribute, texts)
            : texts.Count > 1
                ? Wrong(
                    DeadLetterReason.Malformed,
                    $"attribute '{attribute.Name}' has {texts.Count} values; allowed: one (STREAMING__Items__Attributes={attribute.Name}[] "
                        + "declares a list of texts)"
                )
            : texts.Count == 0 || texts[0].Length == 0 ? DeadLetterReason.None
            : attribute.Kind == AttributeKind.Text ? WriteText(writer, attribute, texts[0])
            : attribute.Kind == AttributeKind.Number ? WriteNumber(writer, attribute, texts[0])
            : WriteBoolean(writer, attribute, texts[0]);
    }

    private static RepeatedField<string> TextsOf(AttributeValue value) =>
        value.HasNumber ? [value.Number.ToString("R", CultureInfo.InvariantCulture)]
        : value.HasBoolean ? [value.Boolean ? "true" : "false"]
        : value.Texts;

    // In a text, | separates values, as it does for hashed features.
    private DeadLetterReason WriteTexts(Utf8JsonWriter writer, AttributeDefinition attribute, RepeatedField<string> given)
    {
        string[] texts =
        [
            .. given
                .SelectMany(static text => text.Split(ItemChange.ListSeparator, StringSplitOptions.TrimEntries))
                .Where(static text => text.Length > 0)
                .Distinct(StringComparer.Ordinal),
        ];
        if (texts.Length > limits.MaxAttributeTexts)
        {
            return Wrong(
                DeadLetterReason.TooManyFeatures,
                $"attribute '{attribute.Name}' has more than {limits.MaxAttributeTexts} texts; allowed: at most {limits.MaxAttributeTexts}"
            );
        }

        if (Array.Find(texts, IsTooLong) is { } wrong)
        {
            return TooLong(attribute, wrong);
        }

        if (texts.Length > 0)
        {
            writer.WriteStartArray(attribute.Name);
            Array.ForEach(texts, writer.WriteStringValue);
            writer.WriteEndArray();
        }

        return DeadLetterReason.None;
    }

    private DeadLetterReason WriteText(Utf8JsonWriter writer, AttributeDefinition attribute, string text)
    {
        if (IsTooLong(text))
        {
            return TooLong(attribute, text);
        }

        writer.WriteString(attribute.Name, text);
        return DeadLetterReason.None;
    }

    private DeadLetterReason WriteNumber(Utf8JsonWriter writer, AttributeDefinition attribute, string text)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number))
        {
            return Wrong(DeadLetterReason.InvalidNumber, $"attribute '{attribute.Name}' is {Shown(text)}; allowed: a finite number");
        }

        writer.WriteNumber(attribute.Name, number);
        return DeadLetterReason.None;
    }

    private DeadLetterReason WriteBoolean(Utf8JsonWriter writer, AttributeDefinition attribute, string text)
    {
        bool isTrue = text is "1" || text.Equals("true", StringComparison.OrdinalIgnoreCase);
        if (!isTrue && text is not "0" && !text.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            return Wrong(DeadLetterReason.Malformed, $"attribute '{attribute.Name}' is {Shown(text)}; allowed: true, false, 1 or 0");
        }

        writer.WriteBoolean(attribute.Name, isTrue);
        return DeadLetterReason.None;
    }

    private bool IsTooLong(string text) => Encoding.UTF8.GetByteCount(text) > limits.MaxAttributeLength;

    private DeadLetterReason TooLong(AttributeDefinition attribute, string text) =>
        Wrong(
            DeadLetterReason.TooManyFeatures,
            $"attribute '{attribute.Name}' is {Shown(text)}, {Encoding.UTF8.GetByteCount(text)} bytes long; allowed: at most "
                + $"{limits.MaxAttributeLength}"
        );

    private DeadLetterReason Wrong(DeadLetterReason reason, string fault)
    {
        Fault = fault;
        return reason;
    }

    private static string Shown(string text) => ShortText.Of(Encoding.UTF8.GetBytes(text));
}
