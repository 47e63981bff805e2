using Streaming.Core.Items;
using Streaming.Core.Options;
using Xunit;

namespace Streaming.Core.Tests.Items;

public class AttributeDefinitionTests
{
    [Theory]
    [InlineData("category", "category", AttributeKind.Text)]
    [InlineData("tags[]", "tags", AttributeKind.Texts)]
    [InlineData("price:number", "price", AttributeKind.Number)]
    [InlineData("in_stock:boolean", "in_stock", AttributeKind.Boolean)]
    public void TryParse_EachForm_IsReadAndWrittenBack(string text, string name, AttributeKind kind)
    {
        Assert.True(AttributeDefinition.TryParse(text, out AttributeDefinition? attribute));
        Assert.Equal(new AttributeDefinition(name, kind), attribute);
        Assert.Equal(text, attribute.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData(":number")]
    [InlineData("price:decimal")]
    [InlineData("two words")]
    [InlineData("größe")]
    public void TryParse_OtherTexts_AreRefused(string text) => Assert.False(AttributeDefinition.TryParse(text, out _));

    [Fact]
    public void Validate_RepeatedOrTooManyAttributes_AreNamed()
    {
        AttributeDefinition price = new("price", AttributeKind.Number);
        OptionsException twice = Assert.Throws<OptionsException>(() =>
            new ItemOptions { Attributes = [price, new("price", AttributeKind.Text)] }.Validate()
        );
        Assert.Contains("price:number,price", twice.Message, StringComparison.Ordinal);
        Assert.Throws<OptionsException>(() =>
            new ItemOptions
            {
                Attributes = [.. Enumerable.Range(0, 33).Select(i => new AttributeDefinition($"a{i}", AttributeKind.Text))],
            }.Validate()
        );
        new ItemOptions { Attributes = [price, new("tags", AttributeKind.Texts)] }.Validate();
    }
}
