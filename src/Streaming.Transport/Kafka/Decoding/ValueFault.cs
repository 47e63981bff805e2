using System.Globalization;
using System.Text.Json;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Says what is wrong with the bytes of a value, before any of its fields is looked at. Only for records that are refused: it reads them
/// again.
/// </summary>
internal static class ValueFault
{
    private const int MostNames = 12;
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16 };

    /// <summary>The fault of a value that is refused whatever its fields are; null: it is not of that kind.</summary>
    /// <param name="value">The value with its header.</param>
    /// <param name="format">How the settings say that it is written.</param>
    /// <param name="setting">The setting that says so.</param>
    /// <param name="maxBytes">Longest value that is decoded.</param>
    /// <param name="reason">Why it is refused.</param>
    public static string? Describe(ReadOnlySpan<byte> value, RecordFormat format, string setting, int maxBytes, DeadLetterReason reason) =>
        reason switch
        {
            DeadLetterReason.Empty => "the record has no value",
            DeadLetterReason.TooLarge when value.Length > maxBytes => FormattableString.Invariant(
                $"the value has {value.Length} bytes; allowed: at most {maxBytes} (STREAMING__Kafka__MaxRecordBytes)"
            ),
            DeadLetterReason.BadWireHeader =>
                $"the value begins with byte 0, but not with a schema registry's header: {ShortText.Of(value)}",
            DeadLetterReason.Malformed when format == RecordFormat.Protobuf => BeginsLikeJson(value)
                ? $"the value looks like JSON: {ShortText.Of(value)}; {setting} is Protobuf"
                : $"the bytes are not a message of the contract: {ShortText.Of(value)}; {setting} is Protobuf",
            DeadLetterReason.Malformed => DescribeJson(value, setting),
            _ => null,
        };

    /// <summary>Parses a value that the caller knows to be JSON or wants to know whether it is; null: it is not.</summary>
    public static JsonDocument? TryParse(ReadOnlySpan<byte> value)
    {
        try
        {
            return ConfluentWireHeader.TrySkip(ref value, RecordFormat.Json) ? JsonDocument.Parse(value.ToArray(), Options) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The names that an object has, for a message that one is missing.</summary>
    public static string NamesOf(JsonElement value)
    {
        string[] names = [.. value.EnumerateObject().Take(MostNames + 1).Select(static property => property.Name)];
        string shown = string.Join(
            ", ",
            names.Take(MostNames).Select(static name => ShortText.Of(System.Text.Encoding.UTF8.GetBytes(name)).Trim('"'))
        );
        return names.Length == 0 ? "the record is empty" : $"the record has {shown}{(names.Length > MostNames ? ", ..." : string.Empty)}";
    }

    /// <summary>A value as it is written, shortened.</summary>
    public static string Shown(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.Null => "null",
            JsonValueKind.String => ShortText.Of(System.Text.Encoding.UTF8.GetBytes(value.GetString()!)),
            _ => ShortText.Of(System.Text.Encoding.UTF8.GetBytes(value.GetRawText())).Trim('"'),
        };

    /// <summary>
    /// The fault of JSON of which a name or a text has no characters: bytes that are not UTF-8, half of a surrogate pair.
    /// </summary>
    public static string NotText(ReadOnlySpan<byte> value) => $"a name or a text in the value is not UTF-8: {ShortText.Of(value)}";

    private static string? DescribeJson(ReadOnlySpan<byte> value, string setting)
    {
        try
        {
            _ = ConfluentWireHeader.TrySkip(ref value, RecordFormat.Json);
            using var document = JsonDocument.Parse(value.ToArray(), Options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? null
                : $"the value is {Shown(document.RootElement)}; allowed: a JSON object";
        }
        catch (InvalidOperationException)
        {
            return NotText(value);
        }
        catch (JsonException exception)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the value is not JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}): "
                    + $"{ShortText.Of(value)}; {setting} is Json"
            );
        }
    }

    private static bool BeginsLikeJson(ReadOnlySpan<byte> value) => value.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];
}
