using System.Globalization;
using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Mapping;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

public class MappedEventDecoderTests
{
    private static readonly Origin Nothing = new();

    [Fact]
    public void Decode_HeaderOfASchemaRegistry_IsSkipped()
    {
        MappedEventDecoder decoder = Decoder("user=userId,item=itemId,time=at");

        Assert.Equal(
            DeadLetterReason.None,
            decoder.Decode([0, 0, 0, 0, 7, .. "{\"userId\":7,\"itemId\":\"i\",\"at\":1700000000}"u8], false, Nothing)
        );
        Assert.Equal("7", Encoding.UTF8.GetString(decoder[0].UserId));
        Assert.Equal(1_700_000_000_000, decoder[0].EventTime);
    }

    [Theory]
    [InlineData("", DeadLetterReason.Empty)]
    [InlineData("{\"u\":", DeadLetterReason.Malformed)]
    [InlineData("{\"u\":1}{}", DeadLetterReason.Malformed)]
    [InlineData("17", DeadLetterReason.Malformed)]
    [InlineData("\0\0", DeadLetterReason.BadWireHeader)]
    [InlineData("{\"u\":1,\"i\":2,\"t\":20231101}", DeadLetterReason.TimeOutOfRange)]
    [InlineData(
        "{\"u\":1,\"i\":2,\"t\":1700000000,\"padding\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
        DeadLetterReason.TooLarge
    )]
    public void Decode_WhatIsNoEvent_HasAReason(string value, DeadLetterReason expected)
    {
        MappedEventDecoder decoder = Decoder("user=u,item=i,time=t");

        Assert.Equal(expected, decoder.Decode(Encoding.UTF8.GetBytes(value), false, Nothing));
        Assert.Equal(0, decoder.Count);
    }

    [Fact]
    public void Decode_Tombstone_IsNoEventAlsoAfterOne()
    {
        MappedEventDecoder decoder = Decoder("user=u,item=i,time=t");
        decoder.Decode("{\"u\":1,\"i\":2,\"t\":1700000000}"u8, false, Nothing);
        Assert.Equal(1, decoder.Count);

        Assert.Equal(DeadLetterReason.None, decoder.Decode([], true, Nothing));
        Assert.Equal(0, decoder.Count);
    }

    [Theory]
    [InlineData("connect-schemas.tsv", "user=payload.user_id,item=payload.item_id,type=payload.kind,time=payload.at")]
    [InlineData("connect-plain.tsv", "user=user_id,item=item_id,type=kind,time=at")]
    [InlineData("json-schema.tsv", "user=userId,item=itemId,type=kind,time=at")]
    public void Decode_RecordsOfOtherWriters_AreTheirEvents(string name, string columns)
    {
        string? shapes = Environment.GetEnvironmentVariable("STREAMING_SHAPES");
        Assert.SkipWhen(shapes is null, "STREAMING_SHAPES is not set");
        HashSet<string> expected =
        [
            .. File.ReadLines(Path.Combine(shapes!, "events.tsv")).Skip(1).Select(static line => string.Join(' ', line.Split('\t')[..4])),
        ];
        MappedEventDecoder decoder = new(FieldMap.Parse(columns), new TimeReader(), 1 << 20);
        var read = new List<string>();
        foreach (string line in File.ReadLines(Path.Combine(shapes!, "kafka", name)))
        {
            Assert.Equal(DeadLetterReason.None, decoder.Decode(Convert.FromBase64String(line.Split('\t')[1]), false, Nothing));
            InteractionEvent decoded = decoder[0];
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
    }

    private static MappedEventDecoder Decoder(string columns) => new(FieldMap.Parse(columns), new TimeReader(), 80);

    private sealed class Origin : RecordOrigin
    {
        public override ReadOnlySpan<byte> Key => [];

        public override long? Timestamp => null;

        public override bool TryFindHeader(string name, out ReadOnlySpan<byte> value)
        {
            value = [];
            return false;
        }
    }
}
