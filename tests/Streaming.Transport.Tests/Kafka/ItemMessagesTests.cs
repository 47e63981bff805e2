using System.Text;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class ItemMessagesTests
{
    private static readonly ItemLimits Limits = new()
    {
        Attributes =
        [
            new AttributeDefinition("tags", AttributeKind.Texts),
            new AttributeDefinition("brand", AttributeKind.Text),
            new AttributeDefinition("price", AttributeKind.Number),
            new AttributeDefinition("ok", AttributeKind.Boolean),
        ],
    };

    /// <summary>What files hold of an item is what the worker reads, in either format.</summary>
    [Theory]
    [InlineData(RecordFormat.Protobuf)]
    [InlineData(RecordFormat.Json)]
    public void Create_WhatFilesHold_IsWhatTheWorkerReads(RecordFormat format)
    {
        Item item = ItemMessages.Create(
            "a",
            new Dictionary<string, string> { ["title"] = "Lamp" },
            new Dictionary<string, float[]> { ["image"] = [0.5f, -1] },
            "{\"tags\":[\"x\",\"y\"],\"brand\":\"Acme\",\"price\":9.5,\"ok\":false,\"nested\":{\"a\":1},\"nothing\":null}"
        );
        byte[] value = format == RecordFormat.Protobuf ? item.ToByteArray() : ContractJson.Write(item);

        DeadLetterReason reason = new ItemDecoder(format, 10_000, Limits).Decode(
            Encoding.UTF8.GetBytes("a"),
            value,
            isTombstone: false,
            1,
            out ItemChange? change
        );

        Assert.Equal(DeadLetterReason.None, reason);
        Assert.Equal("Lamp", change!.Text["title"]);
        Assert.Equal([0.5f, -1], change.Features["image"]);
        Assert.Equal("{\"tags\":[\"x\",\"y\"],\"brand\":\"Acme\",\"price\":9.5,\"ok\":false}", change.Attributes);
    }
}
