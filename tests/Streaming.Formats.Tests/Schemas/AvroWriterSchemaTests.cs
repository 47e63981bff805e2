using Avro;
using Avro.Generic;
using Avro.IO;
using Streaming.Formats.Records;
using Streaming.Formats.Schemas;
using Streaming.Tests;
using Xunit;

namespace Streaming.Formats.Tests.Schemas;

/// <summary>Avro values as the library writes them, and as nobody should.</summary>
public class AvroWriterSchemaTests
{
    private const string Everything = """
        {"type":"record","name":"All","fields":[
          {"name":"nothing","type":"null"},{"name":"flag","type":"boolean"},{"name":"small","type":"int"},{"name":"large","type":"long"},
          {"name":"single","type":"float"},{"name":"precise","type":"double"},{"name":"text","type":"string"},{"name":"raw","type":"bytes"},
          {"name":"choice","type":{"type":"enum","name":"Kind","symbols":["view","buy"]}},
          {"name":"list","type":{"type":"array","items":"long"}},{"name":"map","type":{"type":"map","values":"string"}},
          {"name":"maybe","type":["null","string"]},{"name":"other","type":["null","string"]},
          {"name":"code","type":{"type":"fixed","name":"Code","size":2}},
          {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"id","type":"long"},{"name":"next","type":["null","Inner"]}]}}]}
        """;

    [Fact]
    public void TryRead_EveryType_GivesItsValue()
    {
        var schema = (Avro.RecordSchema)Schema.Parse(Everything);
        var inner = (Avro.RecordSchema)schema["inner"].Schema;
        var deepest = new GenericRecord(inner);
        deepest.Add("id", 2L);
        deepest.Add("next", null);
        var nested = new GenericRecord(inner);
        nested.Add("id", 1L);
        nested.Add("next", deepest);
        var value = new GenericRecord(schema);
        value.Add("nothing", null);
        value.Add("flag", true);
        value.Add("small", -7);
        value.Add("large", 9_007_199_254_740_993L);
        value.Add("single", 0.1f);
        value.Add("precise", 2.5);
        value.Add("text", "Größe");
        value.Add("raw", "ab"u8.ToArray());
        value.Add("choice", new GenericEnum((EnumSchema)schema["choice"].Schema, "buy"));
        value.Add("list", new long[] { 1, -2, 3 });
        value.Add("map", new Dictionary<string, object> { ["k"] = "v" });
        value.Add("maybe", "yes");
        value.Add("other", null);
        value.Add("code", new GenericFixed((FixedSchema)schema["code"].Schema, "xy"u8.ToArray()));
        value.Add("inner", nested);

        Assert.Equal(
            "{nothing:null,flag:true,small:-7,large:9007199254740993,single:0.1,precise:2.5,text:Größe,raw:ab,choice:buy,list:[1,-2,3],map:{k:v},maybe:yes,other:null,code:xy,inner:{id:1,next:{id:2,next:null}}}",
            Read(Everything, Write(schema, value))
        );
    }

    [Theory]
    [InlineData("\"long\",\"logicalType\":\"timestamp-millis\"", "02", "@1")]
    [InlineData("\"long\",\"logicalType\":\"timestamp-micros\"", "01", "@-1")]
    [InlineData("\"long\",\"logicalType\":\"local-timestamp-millis\"", "02", "@local 1")]
    [InlineData("\"int\",\"logicalType\":\"date\"", "02", "@local 86400000")]
    [InlineData("\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2", "0404d2", "12.34")]
    [InlineData("\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2", "02ff", "-0.01")]
    [InlineData("\"string\",\"logicalType\":\"uuid\"", "0461 62", "ab")]
    [InlineData("\"int\",\"logicalType\":\"time-millis\"", "02", "1")]
    [InlineData("\"long\",\"logicalType\":\"time-micros\"", "02", "1")]
    [InlineData("\"long\",\"logicalType\":\"timestamp-nanos\"", "01", "@-1")]
    [InlineData("\"long\",\"logicalType\":\"timestamp-nanos\"", "80897a", "@1")]
    [InlineData("\"long\",\"logicalType\":\"local-timestamp-micros\"", "d00f", "@local 1")]
    [InlineData("\"long\",\"logicalType\":\"local-timestamp-nanos\"", "80897a", "@local 1")]
    [InlineData("\"long\",\"logicalType\":\"of-our-own\"", "02", "1")]
    [InlineData("\"string\",\"logicalType\":\"timestamp-millis\"", "0461 62", "ab")]
    [InlineData("\"long\",\"logicalType\":\"date\"", "02", "1")]
    [InlineData("\"bytes\",\"logicalType\":\"decimal\"", "0461 62", "ab")]
    [InlineData("\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":3", "0461 62", "ab")]
    [InlineData("\"bytes\",\"logicalType\":\"big-decimal\"", "0461 62", "ab")]
    [InlineData("\"long\",\"logicalType\":\"uuid\"", "02", "1")]
    public void TryRead_LogicalTypes_AreWhatTheyMean(string type, string hexadecimal, string expected)
    {
        string schema = $"{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{{\"name\":\"v\",\"type\":{{\"type\":{type}}}}}]}}";
        byte[] bytes = Convert.FromHexString(hexadecimal.Replace(" ", string.Empty, StringComparison.Ordinal));
        Assert.Equal($"{{v:{expected}}}", Read(schema, bytes));
    }

    [Fact]
    public void Parse_References_AreKnownByTheirNames()
    {
        const string actor = """{"type":"record","name":"Actor","namespace":"shop","fields":[{"name":"id","type":"long"}]}""";
        const string click =
            """{"type":"record","name":"Click","namespace":"shop","fields":[{"name":"actor","type":"shop.Actor"},{"name":"item","type":"string"}]}""";
        var record = new RecordTree();
        Assert.True(WriterSchema.Parse(SchemaKind.Avro, click, [new SchemaText("shop.Actor", actor)]).TryRead([14, 2, (byte)'i'], record));
        Assert.Equal("{actor:{id:7},item:i}", TreeText.Of(record));
        Assert.Throws<FormatException>(() => WriterSchema.Parse(SchemaKind.Avro, click, []));
        Assert.Throws<FormatException>(() => WriterSchema.Parse(SchemaKind.Avro, "{", []));
    }

    [Fact]
    public void TryRead_BytesThatLieAboutLengths_AreRefusedWithoutMemory()
    {
        const string list =
            """{"type":"record","name":"R","fields":[{"name":"v","type":{"type":"array","items":"null"}},{"name":"s","type":"string"}]}""";
        var schema = WriterSchema.Parse(SchemaKind.Avro, list, []);
        var record = new RecordTree();
        byte[] many = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        Assert.False(schema.TryRead(many, record)); // 2^63 nulls
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(schema.TryRead([0, .. many], record)); // a text of as many bytes
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.False(schema.TryRead([0, 2, (byte)'a', 0], record)); // a byte too many
        Assert.False(schema.TryRead([], record));
        Assert.True(schema.TryRead([0, 2, (byte)'a'], record));
    }

    [Fact]
    public void TryRead_Mutations_NeverThrow()
    {
        const string click =
            """{"type":"record","name":"Click","fields":[{"name":"user","type":["null","long"]},{"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[{"name":"sku","type":"string"},{"name":"p","type":"double"}]}}},{"name":"tags","type":{"type":"map","values":"string"}}]}""";
        byte[] seed =
        [
            2,
            14,
            4,
            4,
            (byte)'a',
            (byte)'b',
            .. BitConverter.GetBytes(1.5),
            2,
            (byte)'c',
            .. BitConverter.GetBytes(2.5),
            0,
            2,
            2,
            (byte)'k',
            2,
            (byte)'v',
            0,
        ];
        var schema = WriterSchema.Parse(SchemaKind.Avro, click, []);
        var record = new RecordTree();
        Assert.True(schema.TryRead(seed, record));
        Assert.Equal("{user:7,lines:[{sku:ab,p:1.5},{sku:c,p:2.5}],tags:{k:v}}", TreeText.Of(record));
        (_, int accepted) = Fuzz.Run(5, 20_000, 1 << 20, random => schema.TryRead(Mutation.Of(seed, random), record));
        Assert.NotEqual(0, accepted);
    }

    [Fact]
    public void TryRead_GoodRecord_AllocatesNothing()
    {
        const string click =
            """{"type":"record","name":"Click","fields":[{"name":"user","type":["null","long"]},{"name":"item","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}""";
        byte[] value = [2, 14, 4, (byte)'a', (byte)'b', 0x80, 0xA8, 0xD6, 0xB9, 0x07];
        var schema = WriterSchema.Parse(SchemaKind.Avro, click, []);
        var record = new RecordTree();
        Assert.True(schema.TryRead(value, record));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            schema.TryRead(value, record);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Read(string schema, byte[] value)
    {
        var record = new RecordTree();
        return WriterSchema.Parse(SchemaKind.Avro, schema, []).TryRead(value, record) ? TreeText.Of(record) : "(refused)";
    }

    private static byte[] Write(Schema schema, GenericRecord value)
    {
        var stream = new MemoryStream();
        new GenericDatumWriter<GenericRecord>(schema).Write(value, new BinaryEncoder(stream));
        return stream.ToArray();
    }
}
