using System.Text;
using Streaming.Formats.Records;
using Streaming.Formats.Schemas;
using Streaming.Tests;
using Xunit;

namespace Streaming.Formats.Tests.Schemas;

/// <summary>Protobuf values behind their message indexes, by the text of their file and by its descriptor.</summary>
public class ProtobufWriterSchemaTests
{
    private const string Shop = """
        syntax = "proto3";
        package shop;
        import "google/protobuf/timestamp.proto";
        import "google/protobuf/wrappers.proto";
        message First { string id = 1; map<string, int32> m = 2; message Deep { string id = 1; } }
        message Order {
          Actor actor = 1;
          repeated Line lines = 2;
          google.protobuf.Timestamp at = 3;
          Kind kind = 4;
          map<string, double> prices = 5;
          repeated sint32 numbers = 6;
          google.protobuf.StringValue note = 7;
          optional int64 code = 8;
          oneof by { string mail = 9; fixed64 phone = 10; }
          float rate = 11;
          bool gift = 12;
          uint64 large = 13;
          message Actor { string id = 1; sfixed32 level = 2; }
          message Line { string sku = 1; double price = 2; }
          enum Kind { VIEW = 0; BUY = 1; }
        }
        """;

    [Fact]
    public void TryRead_AMessageOfEverything_GivesItsValues()
    {
        byte[] value =
        [
            .. Field(2, Double(2, 1.5), Text(1, "b")), // a list in pieces, fields in any order
            .. Field(1, Text(1, "u"), Fixed32(2, -3)),
            .. Field(2, Text(1, "a")),
            .. Field(3, Number(1, 1_700_000_000), Number(2, 123_456_789)),
            .. Number(4, 1),
            .. Field(5, Text(1, "eur"), Double(2, 9.99)),
            .. Field(6, [0x01, 0x04]),
            .. Number(6, 5), // packed and not: -1, 2, -3
            .. Field(7, Text(1, "hi")),
            .. Number(8, ulong.MaxValue), // -1
            .. Fixed64(10, 5_000_000_000),
            .. Float(11, 0.1f),
            .. Number(12, 1),
            .. Number(13, ulong.MaxValue),
            .. Number(99, 7), // not known
        ];
        Assert.Equal(
            "{actor:{id:u,level:-3},lines:[{sku:b,price:1.5},{sku:a}],at:@1700000000123,kind:BUY,prices:{eur:9.99},numbers:[-1,2,-3],note:hi,code:-1,phone:5000000000,rate:0.1,gift:true,large:18446744073709551615}",
            Read([2, 2, .. value])
        );
    }

    [Fact]
    public void TryRead_WhatIsNotOnTheWire_IsAbsentButForEnumsAndTruthValues() => Assert.Equal("{kind:VIEW,gift:false}", Read([2, 2]));

    [Theory]
    [InlineData(new byte[] { 0, 10, 1, 97 }, "{id:a}")] // the first type, in short
    [InlineData(new byte[] { 2, 0, 10, 1, 97 }, "{id:a}")] // the same in full
    [InlineData(new byte[] { 4, 0, 0, 10, 1, 98 }, "{id:b}")] // First.Deep: the type of the map does not count
    [InlineData(new byte[] { 4, 2, 0, 10, 1, 99 }, "{id:c}")] // Order.Actor
    [InlineData(new byte[] { 2, 4 }, "(refused)")] // there is no third type
    [InlineData(new byte[] { 4, 0, 2 }, "(refused)")]
    [InlineData(new byte[] { 1 }, "(refused)")] // a negative count
    [InlineData(new byte[] { }, "(refused)")]
    [InlineData(new byte[] { 0, 10, 5, 97 }, "(refused)")]
    public void TryRead_MessageIndexes_NameTheType(byte[] value, string expected) => Assert.Equal(expected, Read(value));

    [Fact]
    public void Parse_References_AreImported()
    {
        const string actor = "syntax = \"proto3\"; package shop; message Actor { string id = 1; }";
        const string line = "syntax = \"proto3\"; package shop; import \"a/actor.proto\"; message Line { Actor by = 1; }";
        const string order = "syntax = \"proto3\"; package shop; import \"line.proto\"; message Order { Line line = 1; }";
        var schema = WriterSchema.Parse(
            SchemaKind.Protobuf,
            order,
            [new SchemaText("a/actor.proto", actor), new SchemaText("line.proto", line)]
        );
        var record = new RecordTree();
        Assert.True(schema.TryRead([0, .. Field(1, Field(1, Text(1, "u")))], record));
        Assert.Equal("{line:{by:{id:u}}}", TreeText.Of(record));
        Assert.Throws<FormatException>(() => WriterSchema.Parse(SchemaKind.Protobuf, order, [new SchemaText("a/actor.proto", actor)]));
        Assert.Throws<FormatException>(() => WriterSchema.Parse(SchemaKind.Protobuf, "message {", []));
        Assert.Throws<FormatException>(() => WriterSchema.Parse(SchemaKind.Protobuf, "QUJD", []));
    }

    [Fact]
    public void TryRead_Mutations_NeverThrow()
    {
        byte[] seed =
        [
            2,
            2,
            .. Field(1, Text(1, "u"), Fixed32(2, -3)),
            .. Field(2, Text(1, "a"), Double(2, 1.5)),
            .. Field(3, Number(1, 1_700_000_000)),
            .. Number(4, 1),
            .. Field(5, Text(1, "eur"), Double(2, 9.99)),
            .. Field(6, [0x01, 0x04]),
            .. Field(7, Text(1, "hi")),
        ];
        var schema = WriterSchema.Parse(SchemaKind.Protobuf, Shop, []);
        var record = new RecordTree();
        (_, int accepted) = Fuzz.Run(7, 20_000, 1 << 20, random => schema.TryRead(Mutation.Of(seed, random), record));
        Assert.NotEqual(0, accepted);
    }

    [Fact]
    public void TryRead_DeepNesting_IsRefused()
    {
        var schema = WriterSchema.Parse(SchemaKind.Protobuf, "syntax = \"proto3\"; message Tree { Tree child = 1; string leaf = 2; }", []);
        byte[] value = Text(2, "x");
        for (int i = 0; i < 200; i++)
        {
            value = Field(1, value);
        }

        Assert.False(schema.TryRead([0, .. value], new RecordTree()));
    }

    [Fact]
    public void TryRead_GoodRecord_AllocatesNothing()
    {
        byte[] value =
        [
            2,
            2,
            .. Field(1, Text(1, "u")),
            .. Field(2, Text(1, "a"), Double(2, 1.5)),
            .. Field(3, Number(1, 1_700_000_000)),
            .. Number(4, 1),
        ];
        var schema = WriterSchema.Parse(SchemaKind.Protobuf, Shop, []);
        var record = new RecordTree();
        Assert.True(schema.TryRead(value, record));
        long before = 0;

        // The first round makes what is made once.
        for (int round = 0; round < 2; round++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                schema.TryRead(value, record);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Read(byte[] value)
    {
        var record = new RecordTree();
        return WriterSchema.Parse(SchemaKind.Protobuf, Shop, []).TryRead(value, record) ? TreeText.Of(record) : "(refused)";
    }

    private static byte[] Tag(int field, int wireType) => Varint((ulong)((field << 3) | wireType));

    private static byte[] Varint(ulong number)
    {
        List<byte> bytes = [];
        for (; number >= 0x80; number >>= 7)
        {
            bytes.Add((byte)(number | 0x80));
        }

        return [.. bytes, (byte)number];
    }

    private static byte[] Number(int field, ulong number) => [.. Tag(field, 0), .. Varint(number)];

    private static byte[] Fixed64(int field, ulong number) => [.. Tag(field, 1), .. BitConverter.GetBytes(number)];

    private static byte[] Double(int field, double number) => [.. Tag(field, 1), .. BitConverter.GetBytes(number)];

    private static byte[] Fixed32(int field, int number) => [.. Tag(field, 5), .. BitConverter.GetBytes(number)];

    private static byte[] Float(int field, float number) => [.. Tag(field, 5), .. BitConverter.GetBytes(number)];

    private static byte[] Text(int field, string text) => Field(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int field, params byte[][] parts)
    {
        byte[] bytes = [.. parts.SelectMany(static part => part)];
        return [.. Tag(field, 2), .. Varint((ulong)bytes.Length), .. bytes];
    }
}
