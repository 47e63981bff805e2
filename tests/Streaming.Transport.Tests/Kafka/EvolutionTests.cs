using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Streaming.Core.Events;
using Streaming.Core.Generations;
using Streaming.Core.Items;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>The rules of evolution in schemas/README.md, against records of older and newer writers (schemas/evolution.json).</summary>
public class EvolutionTests
{
    private static readonly JsonArray Records = JsonNode
        .Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "schemas", "evolution.json")))!
        .AsArray();

    private static readonly AttributeDefinition[] Attributes =
    [
        new("tags", AttributeKind.Texts),
        new("price", AttributeKind.Number),
        new("available", AttributeKind.Boolean),
    ];

    public static TheoryData<string, string> Writers(string record)
    {
        TheoryData<string, string> data = [];
        foreach (JsonNode? vector in Records.Where(vector => (string?)vector!["record"] == record))
        {
            data.Add(record, (string)vector!["writer"]!);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Writers), "interaction")]
    public void Decode_EventOfAnyWriter_IsRead(string record, string writer)
    {
        JsonNode vector = Find(record, writer);
        foreach ((RecordFormat format, byte[] value) in Values(vector))
        {
            Assert.Equal(DeadLetterReason.None, new EventDecoder(format, 4096).Decode(value, out InteractionEvent read));

            var fields = new JsonObject
            {
                ["user_id"] = Encoding.UTF8.GetString(read.UserId),
                ["item_id"] = Encoding.UTF8.GetString(read.ItemId),
                ["type"] = Encoding.UTF8.GetString(read.Type),
                ["event_time_ms"] = read.EventTime,
            };
            Add(fields, "event_id", read.EventId.IsEmpty ? null : Encoding.UTF8.GetString(read.EventId));
            Add(fields, "value", read.Value);
            Add(fields, "dwell_ms", read.DwellTime);
            AssertSame(vector["reads"]!, fields);
        }
    }

    [Theory]
    [MemberData(nameof(Writers), "item")]
    public void Decode_ItemOfAnyWriter_IsRead(string record, string writer)
    {
        JsonNode vector = Find(record, writer);
        foreach ((RecordFormat format, byte[] value) in Values(vector))
        {
            Assert.Equal(
                DeadLetterReason.None,
                new ItemDecoder(format, 4096, new ItemLimits { Attributes = Attributes }).Decode(
                    "i1"u8,
                    value,
                    isTombstone: false,
                    0,
                    out ItemChange? read
                )
            );

            var fields = new JsonObject { ["item_id"] = read!.ItemId };
            Add(fields, "features", read.Features.Count == 0 ? null : JsonSerializer.SerializeToNode(read.Features));
            Add(fields, "text", JsonSerializer.SerializeToNode(read.Text));
            Add(fields, "attributes", read.Attributes is { } attributes ? JsonNode.Parse(attributes) : null);
            AssertSame(vector["reads"]!, fields);
        }
    }

    [Theory]
    [MemberData(nameof(Writers), "generation")]
    public void Parse_GenerationOfAnyWriter_IsRead(string record, string writer)
    {
        JsonNode vector = Find(record, writer);

        AssertSame(vector["reads"]!, JsonNode.Parse(GenerationRecord.Parse(Encoding.UTF8.GetBytes((string)vector["json"]!)).ToJson())!);
    }

    private static JsonNode Find(string record, string writer) =>
        Records.Single(vector => (string?)vector!["record"] == record && (string?)vector["writer"] == writer)!;

    private static IEnumerable<(RecordFormat Format, byte[] Value)> Values(JsonNode vector) =>
        [
            (RecordFormat.Protobuf, Convert.FromHexString((string)vector["protobuf"]!)),
            (RecordFormat.Json, Encoding.UTF8.GetBytes((string)vector["json"]!)),
        ];

    private static void Add(JsonObject fields, string name, JsonNode? value)
    {
        if (value is not null)
        {
            fields[name] = value;
        }
    }

    private static void AssertSame(JsonNode expected, JsonNode actual) =>
        Assert.True(
            JsonElement.DeepEquals(Element(expected), Element(actual)),
            $"{actual.ToJsonString()}, expected {expected.ToJsonString()}"
        );

    private static JsonElement Element(JsonNode node) => JsonSerializer.SerializeToElement(node);
}
