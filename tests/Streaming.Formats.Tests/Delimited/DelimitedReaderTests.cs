using System.Text;
using Streaming.Formats.Delimited;
using Xunit;

namespace Streaming.Formats.Tests.Delimited;

public class DelimitedReaderTests
{
    [Theory]
    [InlineData("a,b\nc,d\n", "a|b/c|d")]
    [InlineData("a,b\r\nc,d", "a|b/c|d")]
    [InlineData("\"a,1\",\"say \"\"hi\"\"\"\n", "a,1|say \"hi\"")]
    [InlineData("\"two\nlines\",x\ny,z\n", "two\nlines|x/y|z")]
    [InlineData("a,,\n,b", "a||/|b")]
    [InlineData("\n\na\n\n", "a")]
    [InlineData("5\" pipe,x\n", "5\" pipe|x")]
    [InlineData("", "")]
    public void Read_Rows_AreSplitAsRfc4180Says(string text, string expected)
    {
        using DelimitedReader csv = Open(text);
        var rows = new List<string>();
        while (csv.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, csv.Count).Select(csv.Text)));
        }

        Assert.Equal(expected, string.Join('/', rows));
    }

    [Fact]
    public void Read_LineNumbers_CountLinesInsideQuotes()
    {
        using DelimitedReader csv = Open("a\n\"b\nc\"\n\nd\n");
        var lines = new List<long>();
        while (csv.Read())
        {
            lines.Add(csv.Line);
        }

        Assert.Equal([1, 2, 5], lines);
    }

    [Fact]
    public void Read_QuoteNeverClosed_IsAProblemOfItsRow()
    {
        using DelimitedReader csv = Open("a\n\"b,c\nd\n");
        Assert.True(csv.Read());
        Assert.Null(csv.Problem);
        Assert.True(csv.Read());

        Assert.Equal((2L, 3L, "a quoted field is not closed"), (csv.Line, csv.Lines, csv.Problem));
    }

    [Fact]
    public void Read_RowWithoutEnd_IsBounded()
    {
        using DelimitedReader csv = Open("\"" + new string('x', DelimitedReader.LongestRow * 3));

        Assert.Contains("longer than", Assert.Throws<InvalidDataException>(() => csv.Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RowsLongerThanTheBuffer_AreWhole()
    {
        string[] fields = [.. Enumerable.Range(0, 200).Select(i => new string((char)('a' + (i % 26)), i * 7))];
        using DelimitedReader csv = Open(string.Join(',', fields));

        Assert.True(csv.Read());
        Assert.Equal(fields, Enumerable.Range(0, csv.Count).Select(csv.Text));
    }

    [Theory]
    [InlineData("a\rb\rc", "a/b/c")]
    [InlineData("u1,\"Heroes,1\nu2,x,2\nu3,\"Low,3\n", "u1|Heroes,1\nu2,x,2\nu3,Low|3")]
    public void Read_OldLineEndsAndStrayQuotes_AreSplitAsTheyAre(string text, string expected)
    {
        using DelimitedReader csv = Open(text);
        var rows = new List<string>();
        while (csv.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, csv.Count).Select(csv.Text)));
        }

        Assert.Equal(expected, string.Join('/', rows));
    }

    [Fact]
    public void Read_TextAfterAClosingQuote_IsAProblemThatCountsTheLinesItSwallowed()
    {
        using DelimitedReader csv = Open("u1,\"Heroes,1\nu2,x,2\nu3,\"Low,3\nu4,y,4\n");

        Assert.True(csv.Read());
        Assert.Equal((1L, 3L), (csv.Line, csv.Lines));
        Assert.Contains("after a closing quote", csv.Problem, StringComparison.Ordinal);
        Assert.True(csv.Read());
        Assert.Equal((4L, 1L, null), (csv.Line, csv.Lines, csv.Problem));
    }

    [Fact]
    public void Read_SeparatorOfSeveralCharacters_SplitsAlsoAcrossBuffers()
    {
        string[] rows = [.. Enumerable.Range(0, 20_000).Select(i => $"u{i}::i:{i}::{i}")];
        using var reader = new DelimitedReader(new SmallReads(Encoding.UTF8.GetBytes(string.Join('\n', rows)), 7), new Dialect("::", null));
        var read = new List<string>();
        while (reader.Read())
        {
            read.Add($"{reader.Text(0)}::{reader.Text(1)}::{reader.Text(2)}");
            Assert.Equal(3, reader.Count);
        }

        Assert.Equal(rows, read);
    }

    private static DelimitedReader Open(string text) => new(new MemoryStream(Encoding.UTF8.GetBytes(text)), Dialect.Csv);
}
