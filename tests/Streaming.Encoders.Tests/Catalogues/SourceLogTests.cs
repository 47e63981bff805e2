using System.Text;
using Streaming.Encoders.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Tests;
using Xunit;

namespace Streaming.Encoders.Tests.Catalogues;

public sealed class SourceLogTests : IDisposable
{
    private readonly TemporaryFiles _files = new();

    private string File => _files.Path("log.jsonl");

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Find_AfterReopening_IsTheLastLineOfAnItem()
    {
        using (var log = SourceLog.Open(File))
        {
            Append(log, "a", "1");
            Append(log, "b \"\u00E4\u2028\"", "1");
            Append(log, "a", "2");
        }

        using var again = SourceLog.Open(File);
        Assert.Equal(2, again.Count);
        Assert.Equal("2", again.Find("a"));
        Assert.Equal("1", again.Find("b \"\u00E4\u2028\""));
        Assert.Null(again.Find("c"));
    }

    /// <summary>Every length that a crash can leave of the last line.</summary>
    [Fact]
    public void Open_TornLine_IsCutOffAndContinued()
    {
        using (var log = SourceLog.Open(File))
        {
            Append(log, "a", "1");
            Append(log, "b", "1");
        }

        byte[] whole = System.IO.File.ReadAllBytes(File);
        int first = Array.IndexOf(whole, (byte)'\n') + 1;
        for (int length = first; length < whole.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            using (var log = SourceLog.Open(File))
            {
                Assert.Equal(1, log.Count);
                Append(log, "b", "1");
            }

            Assert.Equal(whole, System.IO.File.ReadAllBytes(File));
        }
    }

    [Fact]
    public void Compact_KeepsTheLastLineOfWhatIsKept()
    {
        using var log = SourceLog.Open(File);
        for (int i = 0; i < 100; i++)
        {
            Append(log, $"item-{i % 10}", $"{i}");
        }

        Assert.Equal(5, log.Compact(static item => item[^1] < '5'));
        Append(log, "new", "x");
        log.Flush();
        log.Dispose();

        Assert.Equal(
            [.. Enumerable.Range(0, 5).Select(static i => Line($"item-{i}", $"{90 + i}")), Line("new", "x")],
            System.IO.File.ReadAllLines(File)
        );
    }

    [Fact]
    public void Open_TwiceAtOnce_IsRefused()
    {
        using var log = SourceLog.Open(File);

        Assert.StartsWith(File, Assert.Throws<InputFileException>(() => SourceLog.Open(File)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"item_id\":\"a\"}\n", 1)]
    [InlineData("{\"item_id\":\"a\",\"source\":\"1\"}\nitem,title\n", 2)]
    [InlineData("[]\n", 1)]
    public void Open_OtherFile_IsRefusedWithTheLine(string content, int line)
    {
        _files.Write("log.jsonl", content);

        InputFileException error = Assert.Throws<InputFileException>(() => SourceLog.Open(File));
        Assert.StartsWith($"{File}, line {line}: the file is not one that `encode` wrote", error.Message, StringComparison.Ordinal);
        Assert.Equal(content, System.IO.File.ReadAllText(File));
    }

    private static void Append(SourceLog log, string item, string source) =>
        log.Append(item, source, Encoding.UTF8.GetBytes(Line(item, source)));

    private static string Line(string item, string source) =>
        System.Text.Json.JsonSerializer.Serialize(
            new
            {
                item_id = item,
                source,
                features = new { text = new float[300] },
            }
        );
}
