using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Lab.Backtest;
using Streaming.Tests;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class InteractionFilesTests
{
    [Fact]
    public void ReadSequences_TextOrGzip_NumbersItemsByAppearance()
    {
        using var files = new TemporaryFiles();
        const string Text = "u1 b a b\n\nu2\ta  c\r\n";
        foreach (string path in new[] { files.Write("s.txt", Text), files.WriteGzip("s.gz", Text) })
        {
            InteractionLog log = InteractionFiles.ReadSequences(path);
            Assert.Equal(["b", "a", "c"], log.Items.Select(item => item.Trim()));
            Assert.Equal(2, log.Sequences.Count);
            Assert.Equal([0, 1, 0], log.Sequences[0]);
            Assert.Equal([1, 2], log.Sequences[1]);
            Assert.Equal(5, log.EventCount);
        }
    }

    [Fact]
    public void ReadSequences_LineWithoutItems_NamesTheLine()
    {
        using var files = new TemporaryFiles();
        InputFileException error = Assert.Throws<InputFileException>(() =>
            InteractionFiles.ReadSequences(files.Write("s.txt", "u1 a b\nu2\n"))
        );
        Assert.Contains("line 2: no items", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadSequences_UserOnASecondLine_IsNamed()
    {
        using var files = new TemporaryFiles();
        InputFileException error = Assert.Throws<InputFileException>(() =>
            InteractionFiles.ReadSequences(files.Write("pairs.txt", "u1 a\nu2 b\nu1 c\n"))
        );
        Assert.Contains("line 3: user 'u1' already has a line", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadSequences_FileMissingOrEmpty_SaysSo()
    {
        using var files = new TemporaryFiles();
        Assert.Contains(
            "nowhere.txt",
            Assert.Throws<InputFileException>(() => InteractionFiles.ReadSequences(files.Path("nowhere.txt"))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no sequences",
            Assert.Throws<InputFileException>(() => InteractionFiles.ReadSequences(files.Write("e.txt", ""))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void FromEvents_SameTime_KeepsTheOrderOfTheFile()
    {
        const long start = 1_700_000_000_000;
        var events = new EventLog();
        events.Add("u", "late", start + 9, "view");
        events.Add("v", "x", start + 2, "view");
        events.Add("u", "first", start + 1, "view");
        events.Add("u", "second", start + 1, "view");
        events.SortByTime();
        InteractionLog log = InteractionFiles.FromEvents(
            events,
            BacktestSettings.Load(new Dictionary<string, string>(), BacktestProtocol.LeaveOneOut),
            TimeProvider.System,
            static _ => { }
        );
        Assert.Equal(["first", "second", "late"], log.Sequences[0].ToArray().Select(item => log.Items[item]));
        Assert.Equal([start + 1, start + 1, start + 9], log.Times![0]);
    }
}
