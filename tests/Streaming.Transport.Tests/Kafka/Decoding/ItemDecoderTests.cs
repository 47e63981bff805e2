using System.Text;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Tests;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

public class ItemDecoderTests
{
    private static readonly ItemLimits Limits = new()
    {
        MaxGroups = 2,
        MaxGroupLength = 8,
        MaxTextFields = 2,
        MaxTextLength = 10,
        FeatureGroups = new Dictionary<string, int> { ["text"] = 3 },
    };

    public static TheoryData<RecordFormat> Formats => [RecordFormat.Protobuf, RecordFormat.Json];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Decode_GoodItem_AllOfItIsThere(RecordFormat format)
    {
        Item item = NewItem([1, -2.5f, 3e-8f]);
        item.Features["undeclared"] = new Features { Values = { 1 } };
        Assert.Equal(DeadLetterReason.None, Decode(format, item, out ItemChange? change));
        Assert.Equal("item ü", change!.ItemId);
        Assert.Equal(XxHash64.Hash(Encoding.UTF8.GetBytes("item ü")), change.ItemKey);
        Assert.Equal([1, -2.5f, 3e-8f], Assert.Single(change.Features).Value);
        Assert.Equal("A title", change.Text["title"]);
        Assert.Equal(77, change.ProducedTime);
        Assert.False(change.IsRemoved);
    }

    [Fact]
    public void Decode_MappedRecords_AreItemsAndRemovals()
    {
        ItemDecoder decoder = new(
            RecordFormat.Json,
            1000,
            Limits,
            ItemMap.Parse("item=after.sku,title=after.name,text=after.vector,tags=after.tags")
        );

        Assert.Equal(
            DeadLetterReason.None,
            decoder.Decode(
                "{\"id\":7}"u8,
                "{\"before\":null,\"after\":{\"sku\":7,\"name\":\"Lamp\",\"vector\":[1,2.5,-3],\"tags\":null},\"op\":\"c\"}"u8,
                isTombstone: false,
                77,
                out ItemChange? change
            )
        );
        Assert.Equal(("7", false, 77L), (change!.ItemId, change.IsRemoved, change.ProducedTime));
        Assert.Equal([1, 2.5f, -3], change.Features["text"]);
        Assert.Equal("Lamp", Assert.Single(change.Text).Value);

        Assert.Equal(
            DeadLetterReason.None,
            decoder.Decode("{\"id\":7}"u8, "{\"before\":{\"sku\":7},\"after\":null,\"op\":\"d\"}"u8, isTombstone: false, 78, out change)
        );
        Assert.Equal(("7", true), (change!.ItemId, change.IsRemoved));

        Assert.Equal(
            DeadLetterReason.NoItem,
            decoder.Decode([], "{\"after\":{\"name\":\"Lamp\"},\"op\":\"c\"}"u8, isTombstone: false, 5, out _)
        );
        Assert.Equal(
            DeadLetterReason.WrongFeatureLength,
            decoder.Decode([], "{\"after\":{\"sku\":1,\"vector\":[1]},\"op\":\"c\"}"u8, isTombstone: false, 5, out _)
        );
        Assert.Equal(
            DeadLetterReason.InvalidNumber,
            decoder.Decode([], "{\"after\":{\"sku\":1,\"vector\":[\"x\"]},\"op\":\"c\"}"u8, isTombstone: false, 5, out _)
        );
        Assert.Equal(DeadLetterReason.Malformed, decoder.Decode([], "{\"after\":"u8, isTombstone: false, 5, out _));
    }

    [Fact]
    public void Decode_ListsOfCategories_KeepTheirValuesApart()
    {
        var limits = new ItemLimits
        {
            Categories = new HashSet<string> { "tags" },
            MaxAttributeTexts = 3,
        };
        ItemDecoder mapped = new(RecordFormat.Json, 1000, limits, ItemMap.Parse("item=sku,tags=tags,others=others"));
        Assert.Equal(
            DeadLetterReason.None,
            mapped.Decode([], """{"sku":7,"tags":["a, b","c"],"others":["a","b"]}"""u8, isTombstone: false, 5, out ItemChange? change)
        );
        Assert.Equal(("a, b|c", "a, b"), (change!.Text["tags"], change.Text["others"]));

        ItemDecoder contract = new(RecordFormat.Json, 1000, limits);
        Assert.Equal(
            DeadLetterReason.None,
            contract.Decode([], """{"item_id":"7","attributes":{"tags":["a, b","c"],"price":5}}"""u8, isTombstone: false, 5, out change)
        );
        Assert.Equal("a, b|c", Assert.Single(change!.Text).Value);
        Assert.Equal(
            DeadLetterReason.None,
            contract.Decode([], """{"item_id":"7","text":{"tags":"d"},"attributes":{"tags":["a"]}}"""u8, isTombstone: false, 5, out change)
        );
        Assert.Equal("d", Assert.Single(change!.Text).Value);

        byte[] many = """{"item_id":"7","attributes":{"tags":["a","b","c","d"]}}"""u8.ToArray();
        Assert.Equal(DeadLetterReason.TooManyFeatures, contract.Decode([], many, isTombstone: false, 5, out _));
        Assert.Equal(
            "attribute 'tags' has more than 3 texts; allowed: at most 3",
            contract.Explain(many, DeadLetterReason.TooManyFeatures)
        );
    }

    [Fact]
    public void Decode_NullValue_IsARemoval()
    {
        ItemDecoder decoder = new(RecordFormat.Protobuf, 1000, Limits);
        Assert.Equal(DeadLetterReason.None, decoder.Decode("x"u8, default, isTombstone: true, 5, out ItemChange? change));
        Assert.Equal(("x", true), (change!.ItemId, change.IsRemoved));
        Assert.Equal(DeadLetterReason.NoItem, decoder.Decode(default, default, isTombstone: true, 5, out _));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Decode_KeyAndId_MustAgree(RecordFormat format)
    {
        Item item = NewItem([1, 2, 3]);
        Assert.Equal(DeadLetterReason.KeyMismatch, Decode(format, item, out _, "other"));
        Assert.Equal(DeadLetterReason.None, Decode(format, item, out _, string.Empty));
        item.ItemId = string.Empty;
        Assert.Equal(DeadLetterReason.None, Decode(format, item, out ItemChange? change, "other"));
        Assert.Equal("other", change!.ItemId);
        Assert.Equal(DeadLetterReason.NoItem, Decode(format, item, out _, string.Empty));
        item.ItemId = new string('x', 257);
        Assert.Equal(DeadLetterReason.IdTooLong, Decode(format, item, out _, string.Empty));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(1.1e6f)]
    [InlineData(-float.MaxValue)]
    public void Decode_FeatureThatIsNoFiniteNumberInBounds_IsRefused(float value)
    {
        Assert.Equal(DeadLetterReason.InvalidNumber, Decode(RecordFormat.Protobuf, NewItem([1, value, 3]), out _));
    }

    [Theory]
    [InlineData("""{"features":{"text":[1,2,1e40]}}""", DeadLetterReason.InvalidNumber)]
    [InlineData("""{"features":{"text":[1,2,1e400]}}""", DeadLetterReason.InvalidNumber)]
    [InlineData("""{"features":{"text":[1,2]}}""", DeadLetterReason.WrongFeatureLength)]
    [InlineData("""{"features":{"a":[],"b":[],"c":[]}}""", DeadLetterReason.TooManyFeatures)]
    [InlineData("""{"features":{"a":[1,2,3,4,5,6,7,8,9]}}""", DeadLetterReason.TooManyFeatures)]
    [InlineData("""{"features":{"":[1]}}""", DeadLetterReason.IdTooLong)]
    [InlineData("""{"features":{"text":[1,"2",3]}}""", DeadLetterReason.Malformed)]
    [InlineData("""{"features":{"text":[[1]]}}""", DeadLetterReason.Malformed)]
    [InlineData("""{"features":[1]}""", DeadLetterReason.Malformed)]
    [InlineData("""{"text":{"a":1}}""", DeadLetterReason.Malformed)]
    [InlineData("""{"text":{"a":"12345678901"}}""", DeadLetterReason.TooManyFeatures)]
    [InlineData("""{"text":{"a":"","b":"","c":""}}""", DeadLetterReason.TooManyFeatures)]
    [InlineData("""{"item_id":5}""", DeadLetterReason.Malformed)]
    [InlineData("""{"features":{"text":[1,2,3]}""", DeadLetterReason.Malformed)]
    [InlineData("""{"features":null,"text":null,"more":[{"x":{}}]}""", DeadLetterReason.None)]
    [InlineData("[]", DeadLetterReason.Malformed)]
    [InlineData("{}{}", DeadLetterReason.Malformed)]
    [InlineData("", DeadLetterReason.Empty)]
    public void Decode_JsonOutOfBounds_SaysWhy(string json, DeadLetterReason expected) =>
        Assert.Equal(
            expected,
            new ItemDecoder(RecordFormat.Json, 1000, Limits).Decode("k"u8, Encoding.UTF8.GetBytes(json), false, 0, out _)
        );

    [Theory]
    [MemberData(nameof(Formats))]
    [Trait("Kind", Fuzz.Kind)]
    public void Decode_MutatedItems_NeverThrowsAndNeverPassesBadNumbers(RecordFormat format)
    {
        Item item = NewItem([1, 2, 3]);
        byte[] seed = format == RecordFormat.Protobuf ? item.ToByteArray() : ContractJson.Write(item);
        ItemDecoder decoder = new(format, 1000, Limits);
        (_, int accepted) = Fuzz.Run(
            31,
            20_000,
            1 << 20,
            random =>
            {
                bool isGood = decoder.Decode(default, Mutation.Of(seed, random), false, 0, out ItemChange? change) == DeadLetterReason.None;
                if (isGood)
                {
                    Assert.InRange(Encoding.UTF8.GetByteCount(change!.ItemId), 1, 256);
                    Assert.All(change.Features, static group => Assert.Equal(3, group.Value.Length));
                    Assert.All(
                        change.Features.Values.SelectMany(static values => values),
                        static value => Assert.InRange(value, -1e6f, 1e6f)
                    );
                }

                return isGood;
            }
        );

        Assert.NotEqual(0, accepted);
    }

    private static Item NewItem(float[] text) =>
        new()
        {
            ItemId = "item ü",
            Features = { ["text"] = new Features { Values = { text } } },
            Text = { ["title"] = "A title" },
        };

    private static DeadLetterReason Decode(RecordFormat format, Item item, out ItemChange? change, string? key = null)
    {
        byte[] value = format == RecordFormat.Protobuf ? item.ToByteArray() : ContractJson.Write(item);
        return new ItemDecoder(format, 1000, Limits).Decode(Encoding.UTF8.GetBytes(key ?? item.ItemId), value, false, 77, out change);
    }
}
