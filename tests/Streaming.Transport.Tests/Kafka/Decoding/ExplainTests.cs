using System.Text;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Tests;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

/// <summary>A record that is refused is explained: the field, its value, what is allowed.</summary>
public class ExplainTests
{
    private static readonly ItemLimits Limits = new()
    {
        FeatureGroups = new Dictionary<string, int> { ["text"] = 3 },
        MaxTextLength = 10,
    };

    [Theory]
    [InlineData("", "the record has no value")]
    [InlineData("\0\0", "the value begins with byte 0, but not with a schema registry's header: 0x0000")]
    [InlineData(
        "{\"user_id\":",
        "the value is not JSON (line 1, byte 12): \"{\"user_id\":\"; STREAMING__Kafka__InteractionsFormat is Json"
    )]
    [InlineData("[1]", "the value is a list; allowed: a JSON object")]
    [InlineData("17", "the value is 17; allowed: a JSON object")]
    [InlineData(
        "{\"user_id\":7}",
        "user_id is 7; allowed: a text of at most 256 bytes; STREAMING__Kafka__InteractionsColumns reads other names and shapes"
    )]
    [InlineData("{\"event_time_ms\":\"2026-03-01\"}", "event_time_ms is \"2026-03-01\"; allowed: a whole number, Unix milliseconds")]
    [InlineData("{\"event_time_ms\":1.5}", "event_time_ms is 1.5; allowed: a whole number")]
    [InlineData("{\"value\":\"9,99\"}", "value is \"9,99\"; allowed: a number")]
    [InlineData("{\"dwell_ms\":{}}", "dwell_ms is an object; allowed: a whole number")]
    public void Explain_EventThatTheDecoderRefuses_NamesFieldValueAndWhatIsAllowed(string json, string expected)
    {
        EventDecoder decoder = new(RecordFormat.Json, 1000);
        byte[] value = Encoding.UTF8.GetBytes(json);
        DeadLetterReason reason = decoder.Decode(value, out _);
        Assert.NotEqual(DeadLetterReason.None, reason);
        Assert.StartsWith(expected, decoder.Explain(value, reason), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "{\"userId\":\"u\",\"itemId\":\"i\"}",
        DeadLetterReason.NoUser,
        "user_id is missing; the record has userId, itemId; STREAMING__Kafka__InteractionsColumns reads other names and shapes"
    )]
    [InlineData("{\"user_id\":\"u\",\"item_id\":null}", DeadLetterReason.NoItem, "item_id is null")]
    [InlineData("{}", DeadLetterReason.NoTime, "event_time_ms is missing; the record is empty")]
    public void Explain_EventThatTheRulesRefuse_NamesWhatTheRecordHas(string json, DeadLetterReason reason, string expected) =>
        Assert.StartsWith(
            expected,
            new EventDecoder(RecordFormat.Json, 1000).Explain(Encoding.UTF8.GetBytes(json), reason),
            StringComparison.Ordinal
        );

    [Fact]
    public void Explain_OtherFormatThanConfigured_SaysSo()
    {
        EventDecoder protobuf = new(RecordFormat.Protobuf, 1000);
        Assert.Equal(
            "the value looks like JSON: \"{\"user_id\":\"u\"}\"; STREAMING__Kafka__InteractionsFormat is Protobuf",
            protobuf.Explain("{\"user_id\":\"u\"}"u8, protobuf.Decode("{\"user_id\":\"u\"}"u8, out _))
        );
        EventDecoder json = new(RecordFormat.Json, 1000);
        byte[] binary = [0x0A, 0x01, (byte)'u', 0x12, 0x01, (byte)'i'];
        Assert.Contains(
            "0x0A0175120169; STREAMING__Kafka__InteractionsFormat is Json",
            json.Explain(binary, json.Decode(binary, out _)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Explain_HostileText_StaysOnOneLineAndShort()
    {
        EventDecoder decoder = new(RecordFormat.Json, 1 << 20);
        byte[] value = Encoding.UTF8.GetBytes($"{{\"value\":\"a\\n2026 INFO fake\\u001b[31m{new string('x', 10_000)}\"}}");
        string said = decoder.Explain(value, decoder.Decode(value, out _))!;
        Assert.DoesNotContain('\n', said);
        Assert.DoesNotContain('\u001b', said);
        Assert.InRange(said.Length, 10, 300);
    }

    [Theory]
    [InlineData("{\"user_id\":\"a\xc3\"}")]
    [InlineData("{\"\\ud800\":1,\"user_id\":7}")]
    [InlineData("{\"user_id\":7,\"value\":\"\\ud800\"}")]
    public void Explain_TextWithoutCharacters_IsSaid(string json)
    {
        EventDecoder decoder = new(RecordFormat.Json, 1000);
        byte[] value = Encoding.Latin1.GetBytes(json);
        foreach (DeadLetterReason reason in Enum.GetValues<DeadLetterReason>())
        {
            decoder.Explain(value, reason);
        }

        Assert.NotNull(decoder.Explain(value, DeadLetterReason.NoItem));
    }

    [Theory]
    [InlineData(RecordFormat.Json)]
    [InlineData(RecordFormat.Protobuf)]
    [Trait("Kind", Fuzz.Kind)]
    public void Explain_MutatedRecords_NeverThrows(RecordFormat format)
    {
        byte[] @event =
            format == RecordFormat.Json
                ? "{\"user_id\":\"u\\u00e9\\ud83d\\ude00\",\"item_id\":\"i\",\"type\":\"view\",\"event_time_ms\":1700000000000,\"value\":1.5}"u8.ToArray()
                : [0x0A, 1, (byte)'u', 0x12, 1, (byte)'i', 0x20, 0x80, 0xD0, 0x95, 0xFF, 0xBC, 0x31];
        byte[] item =
            format == RecordFormat.Json
                ? "{\"item_id\":\"i\\u00e9\",\"features\":{\"text\":[1,2,3]},\"text\":{\"title\":\"T\\ud83d\\ude00\"}}"u8.ToArray()
                : [0x0A, 1, (byte)'i'];
        EventDecoder events = new(format, 1000);
        MappedEventDecoder mapped = new(null, new TimeReader(), 1000);
        ItemDecoder items = new(format, 1000, Limits);
        ItemDecoder mappedItems = new(RecordFormat.Json, 1000, Limits, ItemMap.Parse("item=item_id,title=text.title,text=features.text"));
        Fuzz.Run(
            41,
            20_000,
            1 << 20,
            random =>
            {
                byte[] value = Mutation.Of(@event, random);
                DeadLetterReason reason = events.Decode(value, out _);
                _ = events.Explain(value, reason == DeadLetterReason.None ? (DeadLetterReason)random.Next(19) : reason);
                reason = mapped.Decode(value, false, new Nothing());
                _ = mapped.Explain(value, reason);
                value = Mutation.Of(item, random);
                reason = items.Decode([], value, false, 0, out _);
                _ = items.Explain(value, reason);
                reason = mappedItems.Decode([], value, false, 0, out _);
                return mappedItems.Explain(value, reason).Length > 0;
            }
        );
    }

    [Theory]
    [InlineData("k", "{\"item_id\":\"i\"}", "the key is \"k\", the value's item id \"i\"; allowed: the same bytes, or no key")]
    [InlineData("", "{}", "neither the key nor the value names the item")]
    [InlineData("i", "{\"item_id\":5}", "item_id is 5; allowed: a text; STREAMING__Kafka__ItemsColumns reads other shapes")]
    [InlineData("i", "{\"features\":{\"text\":[1,\"2\"]}}", "features.text is a list; allowed: an object of lists of numbers")]
    [InlineData("i", "{\"features\":{\"text\":[1]}}", "feature group 'text' has 1 values; allowed: 3 (STREAMING__Model__FeatureGroups)")]
    [InlineData("i", "{\"features\":{\"text\":[1,2,1e7]}}", "feature group 'text' holds 10000000; allowed: -1000000 to 1000000")]
    [InlineData("i", "{\"text\":{\"title\":\"more than ten\"}}", "text field 'title' has 13 characters; allowed: at most 10")]
    [InlineData("i", "{\"text\":[]}", "text is a list; allowed: an object of texts")]
    [InlineData("i", "<item/>", "the value is not JSON")]
    public void Explain_CatalogueRecord_NamesFieldValueAndWhatIsAllowed(string key, string json, string expected)
    {
        ItemDecoder decoder = new(RecordFormat.Json, 1000, Limits);
        byte[] value = Encoding.UTF8.GetBytes(json);
        DeadLetterReason reason = decoder.Decode(Encoding.UTF8.GetBytes(key), value, false, 0, out _);
        Assert.NotEqual(DeadLetterReason.None, reason);
        Assert.StartsWith(expected, decoder.Explain(value, reason), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"name\":\"n\"}", "item (sku) is missing; allowed: a text or a number")]
    [InlineData("{\"sku\":{},\"name\":\"n\"}", "item (sku) is an object; allowed: a text or a number")]
    [InlineData("{\"sku\":1,\"text\":[1,\"x\",3]}", "feature group 'text' holds \"x\"; allowed: numbers")]
    [InlineData("{\"sku\":1,\"name\":{}}", "title is an object; allowed: a text, a number, or a list of them")]
    [InlineData("{\"sku\":1", "the value is not JSON")]
    public void Explain_MappedCatalogueRecord_NamesFieldValueAndWhatIsAllowed(string json, string expected)
    {
        ItemDecoder decoder = new(RecordFormat.Json, 1000, Limits, ItemMap.Parse("item=sku,title=name,text=text"));
        byte[] value = Encoding.UTF8.GetBytes(json);
        DeadLetterReason reason = decoder.Decode([], value, false, 0, out _);
        Assert.NotEqual(DeadLetterReason.None, reason);
        Assert.StartsWith(expected, decoder.Explain(value, reason), StringComparison.Ordinal);
    }

    private sealed class Nothing : RecordOrigin
    {
        public override ReadOnlySpan<byte> Key => [];

        public override long? Timestamp => null;

        public override bool TryFindHeader(string name, out ReadOnlySpan<byte> value)
        {
            value = default;
            return false;
        }
    }
}
