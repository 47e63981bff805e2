using System.Text;
using Streaming.Core.Generations;
using Xunit;

namespace Streaming.Core.Tests.Generations;

public class GenerationRecordTests
{
    private static readonly GenerationRecord Record = new()
    {
        Token = 7,
        Step = 90,
        Generation = 3,
        Tower = "FmrlRec",
        Widths = [16, 32],
        Items = 1000,
        Recall = 0.25,
        Examples = 40,
        Attributes = ["category", "price:number"],
        Written = 1_700_000_000_000,
        Switched = true,
    };

    [Fact]
    public void Parse_WhatWasWritten_ComesBack()
    {
        var read = GenerationRecord.Parse(Record.ToJson());

        Assert.Equal(Record with { Widths = [], Attributes = [] }, read with { Widths = [], Attributes = [] });
        Assert.Equal(Record.Widths, read.Widths);
        Assert.Equal(Record.Attributes, read.Attributes);
        Assert.Equal(new ModelVersion(3, 7, 90), read.Version);
    }

    /// <summary>The store's script finds the token at the beginning, without parsing.</summary>
    [Fact]
    public void ToJson_BeginsWithTheToken() =>
        Assert.StartsWith("{\"token\":7,\"step\":90,\"generation\":3,", Encoding.UTF8.GetString(Record.ToJson()), StringComparison.Ordinal);

    [Theory]
    [InlineData("{}", "lacks a generation or widths")]
    [InlineData("null", "lacks a generation or widths")]
    [InlineData("{\"generation\":0,\"widths\":[16]}", "lacks a generation or widths")]
    [InlineData("{\"generation\":1,\"widths\":[]}", "lacks a generation or widths")]
    [InlineData("{\"generation\":-1,\"widths\":[16]}", "cannot be read")]
    [InlineData("[[[[[[[[[[1]]]]]]]]]]", "cannot be read")]
    [InlineData("", "cannot be read")]
    public void Parse_WhatIsNone_SaysWhy(string json, string words) =>
        Assert.Contains(
            words,
            Assert.Throws<FormatException>(() => GenerationRecord.Parse(Encoding.UTF8.GetBytes(json))).Message,
            StringComparison.Ordinal
        );
}
