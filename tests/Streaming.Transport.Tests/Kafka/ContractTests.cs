using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>The contract exists three times, as Protobuf, JSON Schema and decoders, which must agree.</summary>
public class ContractTests
{
    [Fact]
    public void Schemas_Properties_AreTheFieldsOfTheMessages()
    {
        AssertSameFields(Interaction.Descriptor, "interaction.schema.json");
        AssertSameFields(Item.Descriptor, "item.schema.json");
    }

    [Fact]
    public void Interaction_WrittenAsJson_IsDecodedAsItWasWritten()
    {
        Interaction message = new()
        {
            UserId = "u\"ü",
            ItemId = "i\\",
            Type = "view",
            EventTimeMs = 5,
            EventId = "\u0001",
            Value = 0.1,
            DwellMs = 3,
        };
        JsonEventDecoder decoder = new();
        Assert.Equal(DeadLetterReason.None, decoder.Decode(ContractJson.Write(message), out InteractionEvent fromJson));
        Assert.Equal(DeadLetterReason.None, ProtobufEventDecoder.Decode(message.ToByteArray(), out InteractionEvent fromProtobuf));
        Assert.Equal(fromProtobuf.UserId, fromJson.UserId);
        Assert.Equal(fromProtobuf.ItemId, fromJson.ItemId);
        Assert.Equal(fromProtobuf.Type, fromJson.Type);
        Assert.Equal(fromProtobuf.EventId, fromJson.EventId);
        Assert.Equal(
            (fromProtobuf.EventTime, fromProtobuf.Value, fromProtobuf.DwellTime),
            (fromJson.EventTime, fromJson.Value, fromJson.DwellTime)
        );
    }

    private static void AssertSameFields(MessageDescriptor message, string schema)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "schemas", schema)));
        IEnumerable<string> properties = document
            .RootElement.GetProperty("properties")
            .EnumerateObject()
            .Select(static property => property.Name);
        Assert.Equal(message.Fields.InDeclarationOrder().Select(static field => field.Name), properties);
    }
}
