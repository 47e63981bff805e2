using Streaming.Core.Items;
using Streaming.Serving.Filters;
using Xunit;

namespace Streaming.Serving.Tests.Filters;

public class ItemConditionTests
{
    private static readonly AttributeSchema Schema = new(FilteredItem.Fields);

    [Theory]
    [InlineData("category:shoes", "shoes", null, null)]
    [InlineData("category:shoes|boots", "shoes,boots", null, null)]
    [InlineData("category:a:b", "a:b", null, null)]
    [InlineData("category:..", "..", null, null)]
    [InlineData("category:a..b", "a..b", null, null)]
    [InlineData("price:10..50", "", 10.0, 50.0)]
    [InlineData("price:-1.5..", "", -1.5, null)]
    [InlineData("price:..1e3", "", null, 1000.0)]
    [InlineData("price:10", "10", null, null)]
    public void Parse_EachForm_IsReadAndWrittenBack(string text, string values, double? from, double? to)
    {
        var condition = ItemCondition.Parse(text);

        Assert.Equal((values, from, to), (string.Join(',', condition.In), condition.From, condition.To));
        Assert.Equal(condition.ToString(), ItemCondition.Parse(condition.ToString()).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("category")]
    [InlineData(":shoes")]
    [InlineData("category:")]
    public void Parse_OtherTexts_AreRefusedWithWhatIsAllowed(string text) =>
        Assert.Equal(
            $"\"{text}\" is not a condition; allowed: field:value, field:value|value or field:from..to",
            Assert.Throws<ItemFilterException>(() => ItemCondition.Parse(text)).Message
        );

    [Theory]
    [InlineData(
        "colour:red",
        "there is no field \"colour\" to filter by; the fields are: category (text), tags (list of texts), price (number), "
            + "available (true or false)"
    )]
    [InlineData("category:10..50", "\"category:10..50\" is a range, and field \"category\" is a text; ranges are allowed on: price")]
    [InlineData(
        "price:cheap",
        "field \"price\" is a number, and \"cheap\" is none; allowed: price:10, price:10|20 or price:10..50 (10.. and ..50 are open)"
    )]
    [InlineData("price:50..10", "\"price:50..10\" is a range that ends before it begins; allowed: from at most to")]
    [InlineData("available:yes", "field \"available\" is \"yes\"; allowed: true or false")]
    public void Compile_ConditionThatDoesNotFit_NamesFieldValueAndWhatIsAllowed(string text, string message)
    {
        ItemFilter filter = new() { Not = [ItemCondition.Parse(text)] };

        Assert.Equal(message, Assert.Throws<ItemFilterException>(() => RowFilter.Of(filter, null, Schema)).Message);
        Assert.Equal(
            message,
            Assert.Throws<ItemFilterException>(() => RowFilter.Of(null, [new(ItemCondition.Parse(text), 2)], Schema)).Message
        );
    }

    [Fact]
    public void Compile_BoostOrNumberOfConditionsOutOfRange_IsNamed()
    {
        var shoes = ItemCondition.Parse("category:shoes");
        Assert.Equal(
            "the boost of \"category:shoes\" is 0; allowed: 0.01 to 100",
            Assert.Throws<ItemFilterException>(() => RowFilter.Of(null, [new(shoes, 0)], Schema)).Message
        );
        Assert.Throws<ItemFilterException>(() => RowFilter.Of(null, [new(shoes, float.NaN)], Schema));
        Assert.Equal(
            "65 conditions are given; allowed: up to 64",
            Assert.Throws<ItemFilterException>(() => RowFilter.Of(new() { Any = [.. Enumerable.Repeat(shoes, 65)] }, null, Schema)).Message
        );
        Assert.Throws<ItemFilterException>(() =>
            RowFilter.Of(new() { Any = [new() { Field = "category", In = [.. Enumerable.Repeat("x", 1001)] }] }, null, Schema)
        );
    }

    [Fact]
    public void Compile_NoFields_SaysHowToGetThem() =>
        Assert.Equal(
            "there is no field \"price\" to filter by; the fields are: none, because the trainer's STREAMING__Items__Attributes names none",
            Assert
                .Throws<ItemFilterException>(() =>
                    RowFilter.Of(new() { Must = [ItemCondition.Parse("price:1..2")] }, null, AttributeSchema.None)
                )
                .Message
        );

    [Fact]
    public void Of_AttributesOfANewerWriter_AreLeftOut() =>
        Assert.Equal(
            [new AttributeDefinition("price", AttributeKind.Number)],
            AttributeSchema.Of(["place:geo", "price:number", "price"]).Fields
        );
}
