using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

public class AttributeWriterTests
{
    private static readonly ItemLimits Limits = new()
    {
        MaxAttributeTexts = 3,
        MaxAttributeLength = 10,
        Attributes =
        [
            new("category", AttributeKind.Text),
            new("tags", AttributeKind.Texts),
            new("price", AttributeKind.Number),
            new("available", AttributeKind.Boolean),
        ],
    };

    [Fact]
    public void Decode_AttributesOfEitherFormat_AreTheDeclaredOnes()
    {
        var item = new Item
        {
            ItemId = "a",
            Attributes =
            {
                ["category"] = new AttributeValue { Texts = { "schöne" } },
                ["tags"] = new AttributeValue { Texts = { "new", "sale", "new" } },
                ["price"] = new AttributeValue { Number = 12.5 },
                ["available"] = new AttributeValue { Boolean = false },
                ["other"] = new AttributeValue { Number = 1 },
            },
        };
        const string expected = """{"category":"schöne","tags":["new","sale"],"price":12.5,"available":false}""";

        Assert.Equal(expected, Attributes(RecordFormat.Protobuf, item.ToByteArray()));
        Assert.Equal(
            expected,
            Attributes(
                RecordFormat.Json,
                """{"attributes":{"category":"schöne","tags":["new","sale","new"],"price":12.5,"available":false,"other":{"deep":[1]}}}"""
            )
        );
    }

    [Fact]
    public void Decode_AttributesOfMappedRecord_AreItsTextsNumbersAndLists()
    {
        var map = ItemMap.Parse("item=sku,title=name,category=cat,tags=labels,price=cents,available=stock");

        Assert.Equal(
            """{"category":"7","tags":["x","y"],"price":1250,"available":true}""",
            Attributes(RecordFormat.Json, """{"sku":1,"name":"Lamp","cat":7,"labels":["x","y"],"cents":1250,"stock":true}""", map)
        );
        Assert.Equal("""{"tags":["x"]}""", Attributes(RecordFormat.Json, """{"sku":1,"labels":"x","cents":null,"cat":""}""", map));
    }

    [Fact]
    public void Decode_AttributeThatIsATextField_IsTakenFromThere() =>
        Assert.Equal(
            """{"category":"shoes","price":9.99,"available":true}""",
            Attributes(RecordFormat.Json, """{"text":{"category":"shoes","price":"9.99","available":"1","title":"a lamp of many words"}}""")
        );

    [Theory]
    [InlineData("""{"text":{"tags":"x| y y |x|"}}""", null)]
    [InlineData("""{"attributes":{"tags":["x","y y"]}}""", null)]
    [InlineData("""{"sku":1,"labels":"x|y y"}""", "item=sku,tags=labels")]
    public void Decode_ListWrittenAsAText_IsSplitAsForHashedFeatures(string record, string? map) =>
        Assert.Equal("""{"tags":["x","y y"]}""", Attributes(RecordFormat.Json, record, map is null ? null : ItemMap.Parse(map)));

    [Fact]
    public void Decode_RecordWithoutAttributes_HasNone() => Assert.Null(Attributes(RecordFormat.Json, """{"text":{"title":"x"}}"""));

    [Theory]
    [InlineData("""{"price":"twelve"}""", DeadLetterReason.InvalidNumber, "attribute 'price' is \"twelve\"; allowed: a finite number")]
    [InlineData("""{"price":"NaN"}""", DeadLetterReason.InvalidNumber, "attribute 'price' is \"NaN\"; allowed: a finite number")]
    [InlineData(
        """{"available":"maybe"}""",
        DeadLetterReason.Malformed,
        "attribute 'available' is \"maybe\"; allowed: true, false, 1 or 0"
    )]
    [InlineData(
        """{"category":["a","b"]}""",
        DeadLetterReason.Malformed,
        "attribute 'category' has 2 values; allowed: one (STREAMING__Items__Attributes=category[] declares a list of texts)"
    )]
    [InlineData(
        """{"tags":["a","b","c","d"]}""",
        DeadLetterReason.TooManyFeatures,
        "attribute 'tags' has more than 3 texts; allowed: at most 3"
    )]
    [InlineData(
        """{"category":"elevenbytes"}""",
        DeadLetterReason.TooManyFeatures,
        "attribute 'category' is \"elevenbytes\", 11 bytes long; allowed: at most 10"
    )]
    [InlineData("""{"tags":["a",1]}""", DeadLetterReason.Malformed, "attributes.tags is a list; allowed: an object of texts")]
    [InlineData("""{"price":{"eur":1}}""", DeadLetterReason.Malformed, "attributes.price is")]
    public void Decode_AttributeThatDoesNotFit_IsRefusedAndExplained(string attributes, DeadLetterReason reason, string explanation)
    {
        byte[] value = Encoding.UTF8.GetBytes($$"""{"item_id":"a","attributes":{{attributes}}}""");
        ItemDecoder decoder = new(RecordFormat.Json, 4096, Limits);

        Assert.Equal(reason, decoder.Decode("a"u8, value, isTombstone: false, 1, out ItemChange? change));
        Assert.Null(change);
        Assert.Contains(explanation, decoder.Explain(value, reason), StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_AttributesLongerThanAValueHolds_AreRefused()
    {
        ItemLimits limits = new() { Attributes = Limits.Attributes, MaxAttributeLength = 5000 };
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(
            new { attributes = new { category = new string('x', 5000), tags = new[] { new string('y', 5000) } } }
        );
        ItemDecoder decoder = new(RecordFormat.Json, 100_000, limits);

        Assert.Equal(DeadLetterReason.TooManyFeatures, decoder.Decode("a"u8, value, isTombstone: false, 1, out _));
        Assert.Contains("allowed: at most 8192", decoder.Explain(value, DeadLetterReason.TooManyFeatures), StringComparison.Ordinal);
    }

    private static string? Attributes(RecordFormat format, string value, ItemMap? map = null) =>
        Attributes(format, Encoding.UTF8.GetBytes(value), map);

    private static string? Attributes(RecordFormat format, byte[] value, ItemMap? map = null)
    {
        ItemDecoder decoder = new(format, 4096, Limits, map);
        DeadLetterReason reason = decoder.Decode("a"u8, value, isTombstone: false, 1, out ItemChange? change);
        Assert.True(reason == DeadLetterReason.None, decoder.Explain(value, reason));
        return change!.Attributes;
    }
}
