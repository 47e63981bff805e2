using System.Text;
using Streaming.Formats.Json;
using Streaming.Formats.Records;
using Xunit;

namespace Streaming.Formats.Tests.Json;

public class JsonRecordsTests
{
    [Theory]
    [InlineData("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}", "1 2 3")]
    [InlineData("{\"a\":1}\r\n{\"a\":2}\r\n", "1 2")]
    [InlineData("{\n \"a\": 1\n}\n{\n \"a\": 2\n}", "1 2")]
    [InlineData("{\"a\":1}{\"a\":2}", "1 2")]
    [InlineData("\u001e{\"a\":1}\n\u001e{\"a\":2}\n", "1 2")]
    [InlineData("[{\"a\":1},{\"a\":2}]", "1 2")]
    [InlineData(" [\n {\"a\":1} ,\n {\"a\":2}\n]\n", "1 2")]
    [InlineData("[{\"a\":1}]\n[{\"a\":2}]\n", "1 2")]
    [InlineData("[]", "")]
    [InlineData("\uFEFF{\"a\":1}", "1")]
    public void Read_LinesArraysAndWhatToolsWrite_GivesEachRecord(string text, string expected)
    {
        foreach (int most in (int[])[1, 3, int.MaxValue])
        {
            using var records = new JsonRecords(new SmallReads(Encoding.UTF8.GetBytes(text), most));
            var tree = new RecordTree();
            var read = new List<string>();
            while (records.Read(tree))
            {
                Assert.Null(records.Problem);
                read.Add(Encoding.UTF8.GetString(tree.Root.Find("a"u8).Text));
            }

            Assert.Equal(expected, string.Join(' ', read));
        }
    }

    [Fact]
    public void Read_LinesThatAreLists_AreRecords()
    {
        using JsonRecords records = Open("[\"u\",\"i\"]\n[\"v\",\"j\"]\n");
        var tree = new RecordTree();

        Assert.True(records.Read(tree));
        Assert.True(records.Read(tree));
        Assert.Equal("v", Encoding.UTF8.GetString(tree.Root.At(0).Text));
        Assert.Equal("line 2", records.Position);
    }

    [Fact]
    public void Read_LineThatIsNotJson_IsAProblemAndTheNextIsRead()
    {
        using JsonRecords records = Open("{\"a\":1}\n{\"a\":oops}\n{\"a\":3}\n{\"a\":4");
        var tree = new RecordTree();
        var read = new List<string>();
        while (records.Read(tree))
        {
            read.Add($"{records.Position}: {records.Problem?.Split(':')[0] ?? "good"}");
        }

        Assert.Equal(["line 1: good", "line 2: not JSON", "line 3: good", "line 4: not JSON"], read);
    }

    [Theory]
    [InlineData("[{\"a\":1},{\"a\":2}", "ends within the array")]
    [InlineData("[{\"a\":1},\n{\"a\":", "line 2, column 1: not JSON")]
    [InlineData("[{\"a\":1},\n {\"a\":oops}]", "line 2, column 2: not JSON")]
    [InlineData("[{\"a\":1} {\"a\":2}]", "line 1, column 10: '{' between two elements")]
    [InlineData("[{\"a\":1}]x", "'x' after the end of the array")]
    public void Read_DamagedArray_SaysWhere(string text, string expected)
    {
        using JsonRecords records = Open(text);
        var tree = new RecordTree();

        Assert.Contains(
            expected,
            Assert
                .Throws<InvalidDataException>(() =>
                {
                    while (records.Read(tree)) { }
                })
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Read_HundredMegabytesOnOneLine_TakesTheMemoryOfOneElement()
    {
        using var records = new JsonRecords(new LongArray(1_500_000));
        var tree = new RecordTree();
        long before = GC.GetAllocatedBytesForCurrentThread();
        long count = 0;
        while (records.Read(tree))
        {
            count++;
        }

        Assert.Equal(1_500_000, count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static JsonRecords Open(string text) => new(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    /// <summary>An array of this many events, generated while it is read.</summary>
    private sealed class LongArray(int elements) : MemoryStream
    {
        private static readonly byte[] Element = Encoding.UTF8.GetBytes(
            "{\"user_id\":\"u1\",\"item_id\":\"i1\",\"event_time_ms\":1700000000000}"
        );
        private int _next;

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_next > elements)
            {
                return 0;
            }

            int written = offset;
            while (_next < elements && written + Element.Length + 1 <= offset + count)
            {
                buffer[written++] = (byte)(_next++ == 0 ? '[' : ',');
                Element.CopyTo(buffer, written);
                written += Element.Length;
            }

            if (_next == elements && written < offset + count)
            {
                buffer[written++] = (byte)']';
                _next++;
            }

            return written - offset;
        }
    }
}
