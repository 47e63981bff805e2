using System.Text;
using System.Text.Json;
using Streaming.Core.Events;
using Streaming.Tests;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

public class JsonEventDecoderTests
{
    private const string Good =
        """{"user_id":"u","item_id":"i","type":"view","event_time_ms":1700000000000,"event_id":"e","value":1.5,"dwell_ms":20}""";
    private readonly JsonEventDecoder _decoder = new();

    [Fact]
    public void Decode_AllFields_AreThere()
    {
        Assert.Equal(DeadLetterReason.None, _decoder.Decode(Encoding.UTF8.GetBytes(Good), out InteractionEvent decoded));
        Assert.Equal("u"u8, decoded.UserId);
        Assert.Equal("i"u8, decoded.ItemId);
        Assert.Equal("view"u8, decoded.Type);
        Assert.Equal("e"u8, decoded.EventId);
        Assert.Equal((1_700_000_000_000L, 1.5, 20L), (decoded.EventTime, decoded.Value, decoded.DwellTime));
    }

    [Fact]
    public void Decode_Escapes_AreUndone()
    {
        byte[] json = Encoding.UTF8.GetBytes(
            """{"user\u005fid":"a\"\u00fc\ud83d\ude00","item_id":"\\\/","event_time_ms":1,"event_id":"\n"}"""
        );
        Assert.Equal(DeadLetterReason.None, _decoder.Decode(json, out InteractionEvent decoded));
        Assert.Equal("a\"ü😀", Encoding.UTF8.GetString(decoded.UserId));
        Assert.Equal("\\/"u8, decoded.ItemId);
        Assert.Equal("\n"u8, decoded.EventId);
    }

    [Theory]
    [InlineData("""{"user_id":"a","user_id":"b"}""", "b")] // the last counts
    [InlineData("""{"user_id":"a","more":{"user_id":[{}]},"x":[[1]]}""", "a")] // others are skipped
    [InlineData("""{"user_id":null}""", "")]
    [InlineData("""  {} """, "")]
    public void Decode_UnusualObject_IsTaken(string json, string user)
    {
        Assert.Equal(DeadLetterReason.None, _decoder.Decode(Encoding.UTF8.GetBytes(json), out InteractionEvent decoded));
        Assert.Equal(user, Encoding.UTF8.GetString(decoded.UserId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{} {}")]
    [InlineData("{}x")]
    [InlineData("""{"user_id":1}""")]
    [InlineData("""{"user_id":{"a":1}}""")]
    [InlineData("""{"event_time_ms":"1"}""")]
    [InlineData("""{"event_time_ms":1.5}""")]
    [InlineData("""{"event_time_ms":9223372036854775808}""")]
    [InlineData("""{"value":true}""")]
    [InlineData("""{"user_id":"\ud800"}""")] // half a surrogate pair
    [InlineData("""{"user_id":"a",}""")]
    [InlineData("""{/* */}""")]
    public void Decode_Malformed_IsRefused(string json) =>
        Assert.Equal(DeadLetterReason.Malformed, _decoder.Decode(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void Decode_DeepNesting_IsBounded()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Assert.Equal(DeadLetterReason.Malformed, _decoder.Decode(Encoding.UTF8.GetBytes($$"""{"x":{{deep}}"""), out _));
    }

    [Fact]
    public void Decode_LongEscapedId_IsRefusedWithoutAnException()
    {
        string longest = string.Concat(Enumerable.Repeat("\\u0041", 256));
        Assert.Equal(
            DeadLetterReason.None,
            _decoder.Decode(Encoding.UTF8.GetBytes($$"""{"user_id":"{{longest}}"}"""), out InteractionEvent decoded)
        );
        Assert.Equal(256, decoded.UserId.Length);
        Assert.Equal(DeadLetterReason.IdTooLong, _decoder.Decode(Encoding.UTF8.GetBytes($$"""{"user_id":"{{longest}}\u0041"}"""), out _));
    }

    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Decode_MutatedMessages_AsJsonDocument()
    {
        byte[] seed = Encoding.UTF8.GetBytes(Good.Replace("\"e\"", "\"\\u0065\"", StringComparison.Ordinal));
        (int cases, int accepted) = Fuzz.Run(
            21,
            30_000,
            1 << 20,
            random =>
            {
                byte[] json = Mutation.Of(seed, random);
                bool isGood = _decoder.Decode(json, out InteractionEvent decoded) == DeadLetterReason.None;
                if (isGood)
                {
                    AssertSame(json, decoded);
                }
                else
                {
                    Assert.False(IsEvent(json), Encoding.UTF8.GetString(json));
                }

                return isGood;
            }
        );

        Assert.InRange(accepted, cases / 50, cases / 2);
    }

    private static void AssertSame(byte[] json, InteractionEvent decoded)
    {
        // EventRules rejects invalid UTF-8, not the decoder.
        if (!System.Text.Unicode.Utf8.IsValid(json))
        {
            return;
        }

        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
        JsonElement root = document.RootElement;
        Assert.Equal(Text(root, "user_id"), Encoding.UTF8.GetString(decoded.UserId));
        Assert.Equal(Text(root, "item_id"), Encoding.UTF8.GetString(decoded.ItemId));
        Assert.Equal(
            root.TryGetProperty("event_time_ms", out JsonElement time) && time.ValueKind == JsonValueKind.Number ? time.GetInt64() : 0,
            decoded.EventTime
        );
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement text) ? text.GetString() ?? string.Empty : string.Empty;

    // What the decoder must accept: JSON, an object, every known property of the right type even where it occurs twice.
    private static bool IsEvent(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document
                    .RootElement.EnumerateObject()
                    .All(static property =>
                        property.Name switch
                        {
                            "user_id" or "item_id" or "type" or "event_id" => property.Value.ValueKind is JsonValueKind.Null
                                || (property.Value.ValueKind == JsonValueKind.String && property.Value.GetString() is not null),
                            "event_time_ms" or "dwell_ms" => property.Value.ValueKind is JsonValueKind.Null
                                || (property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt64(out _)),
                            "value" => property.Value.ValueKind is JsonValueKind.Null or JsonValueKind.Number,
                            _ => true,
                        }
                    );
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
