using Xunit;

namespace Streaming.Worker.Tests;

public class CsvReaderTests
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
        using var csv = new CsvReader(new StringReader(text));
        var rows = new List<string>();
        while (csv.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, csv.Count).Select(field => csv[field].ToString())));
        }

        Assert.Equal(expected, string.Join('/', rows));
    }

    [Fact]
    public void Read_LineNumbers_CountLinesInsideQuotes()
    {
        using var csv = new CsvReader(new StringReader("a\n\"b\nc\"\n\nd\n"));
        var lines = new List<long>();
        while (csv.Read())
        {
            lines.Add(csv.Line);
        }

        Assert.Equal([1, 2, 5], lines);
    }

    [Fact]
    public void Read_QuoteNeverClosed_IsRefused()
    {
        using var csv = new CsvReader(new StringReader("a\n\"b,c\nd\n"));
        Assert.True(csv.Read());

        Assert.StartsWith("line 2: ", Assert.Throws<InvalidDataException>(() => csv.Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RowWithoutEnd_IsBounded()
    {
        using var csv = new CsvReader(new StringReader("\"" + new string('x', CsvReader.LongestRow + 2)));

        Assert.Contains("longer than", Assert.Throws<InvalidDataException>(() => csv.Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RowsLongerThanTheBuffer_AreWhole()
    {
        string[] fields = [.. Enumerable.Range(0, 200).Select(i => new string((char)('a' + (i % 26)), i * 7))];
        using var csv = new CsvReader(new StringReader(string.Join(',', fields)));

        Assert.True(csv.Read());
        Assert.Equal(fields, Enumerable.Range(0, csv.Count).Select(field => csv[field].ToString()));
    }
}
