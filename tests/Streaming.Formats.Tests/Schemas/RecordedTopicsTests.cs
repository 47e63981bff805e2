using System.Globalization;
using System.Text;
using System.Text.Json;
using Streaming.Core.Events;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using Streaming.Formats.Schemas;
using Xunit;

namespace Streaming.Formats.Tests.Schemas;

/// <summary>Records that Confluent's serializers wrote, with the schemas of their registry.</summary>
public class RecordedTopicsTests
{
    [Theory]
    [InlineData("avro-evolving.tsv", "user=user_id,item=item_id,type=kind,time=at")]
    [InlineData("json-schema.tsv", "user=userId,item=itemId,type=kind,time=at")]
    [InlineData("protobuf-second.tsv", "user=actor.id,item=item_id,type=kind,time=at_ms")]
    public void Records_OfAnotherWriter_AreTheirEvents(string name, string columns)
    {
        string? shapes = Environment.GetEnvironmentVariable("STREAMING_SHAPES");
        Assert.SkipWhen(shapes is null, "STREAMING_SHAPES is not set");
        Dictionary<int, WriterSchema> schemas = Schemas(Path.Combine(shapes!, "kafka", "registry.json"));
        HashSet<string> expected =
        [
            .. File.ReadLines(Path.Combine(shapes!, "events.tsv")).Skip(1).Select(static line => string.Join(' ', line.Split('\t')[..4])),
        ];
        var mapper = new EventMapper(FieldMap.Parse(columns), new TimeReader());
        var record = new RecordTree();
        HashSet<int> used = [];
        List<string> read = [];
        foreach (string line in File.ReadLines(Path.Combine(shapes!, "kafka", name)))
        {
            byte[] value = Convert.FromBase64String(line.Split('\t')[1]);
            int id = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(1));
            used.Add(id);
            Assert.True(schemas[id].TryRead(value.AsSpan(5), record));
            DeadLetterReason reason = mapper.Map(record, null);
            Assert.True(reason == DeadLetterReason.None, reason == DeadLetterReason.None ? string.Empty : mapper.Explain(reason));
            InteractionEvent decoded = mapper[0];
            read.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Encoding.UTF8.GetString(decoded.UserId)} {Encoding.UTF8.GetString(decoded.ItemId)} "
                        + $"{Encoding.UTF8.GetString(decoded.Type)} {decoded.EventTime}"
                )
            );
        }

        Assert.Equal(500, read.Count);
        Assert.Empty(read.Except(expected));
        Assert.Equal(name == "avro-evolving.tsv" ? 2 : 1, used.Count);
    }

    private static Dictionary<int, WriterSchema> Schemas(string path)
    {
        using var registry = JsonDocument.Parse(File.ReadAllText(path));
        Dictionary<int, WriterSchema> schemas = [];
        foreach (JsonElement schema in registry.RootElement.EnumerateArray())
        {
            SchemaKind kind = schema.GetProperty("schemaType").GetString() switch
            {
                "JSON" => SchemaKind.Json,
                "PROTOBUF" => SchemaKind.Protobuf,
                _ => SchemaKind.Avro,
            };
            schemas[schema.GetProperty("id").GetInt32()] = WriterSchema.Parse(kind, schema.GetProperty("schema").GetString()!, []);
        }

        return schemas;
    }
}
