using Streaming.Core.Options;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Models.Tests.Options;

public class FeatureGroupTests
{
    [Theory]
    [InlineData("text:384")]
    [InlineData("text:256=title")]
    [InlineData("shop:text:256=title:token+brand[]")]
    public void TryParse_WhatIsWritten_IsTheSame(string text)
    {
        Assert.True(FeatureGroup.TryParse(text, out FeatureGroup? group));
        Assert.Equal(text, group.ToString());
    }

    [Fact]
    public void TryParse_Fields_AreTextsAndCategories()
    {
        Assert.True(FeatureGroup.TryParse("text:256=title + brand[]", out FeatureGroup? group));
        Assert.Equal([new TextField("title"), new TextField("brand", IsCategory: true)], group.Fields);
        Assert.True(group.IsHashed);
        Assert.Equal(FeatureGroup.CurrentScheme, group.Scheme);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("text:")]
    [InlineData(":4")]
    [InlineData("text:x=title")]
    [InlineData("text=title")]
    public void TryParse_NoLength_IsRefused(string text) => Assert.False(FeatureGroup.TryParse(text, out _));

    [Theory]
    [InlineData("text:8=", "text:8=; allowed: up to 32 text fields that differ")]
    [InlineData("text:8=title+title", "text:8=title+title; allowed: up to 32 text fields that differ")]
    [InlineData("text:8=title+[]", "text:8=title+[]; allowed: up to 32 text fields that differ")]
    public void Validate_FieldsWithoutNameOrTwice_NamesTheGroup(string text, string expected)
    {
        Assert.True(FeatureGroup.TryParse(text, out FeatureGroup? group));
        OptionsException error = Assert.Throws<OptionsException>(() => new ModelOptions { FeatureGroups = [group] }.Validate());
        Assert.Contains("FeatureGroups is " + expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Equals_OtherFieldsOrScheme_AreOtherGroups()
    {
        var group = FeatureGroup.Hashed("text", 8, new TextField("title"));
        Assert.Equal(group, FeatureGroup.Hashed("text", 8, new TextField("title")));
        Assert.Equal(group.GetHashCode(), FeatureGroup.Hashed("text", 8, new TextField("title")).GetHashCode());
        Assert.NotEqual(group, FeatureGroup.Hashed("text", 8, new TextField("title", IsCategory: true)));
        Assert.NotEqual(group, group with { Scheme = 2 });
        Assert.NotEqual(group, new FeatureGroup("text", 8));
        Assert.Equal("text:8=title (text scheme 1)", group.Describe());
        Assert.Equal("text:8", new FeatureGroup("text", 8).Describe());
    }
}
