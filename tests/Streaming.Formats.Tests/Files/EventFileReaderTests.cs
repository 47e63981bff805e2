using System.IO.Compression;
using System.Text;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Xunit;

namespace Streaming.Formats.Tests.Files;

public sealed class EventFileReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("events-").FullName;
    private readonly List<string> _warnings = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ReadAll_Columns_SecondsBecomeMilliseconds()
    {
        EventLog log = Read("user,item,timestamp\nu1,i1,1023840000\nu2,\"i,2\",1023840000500\n");

        Assert.Equal(
            [new EventRow("u1", "i1", 1023840000000, "view", null), new EventRow("u2", "i,2", 1023840000500, "view", null)],
            All(log)
        );
    }

    [Fact]
    public void ReadAll_MovieLens_IsSortedByTimeAndHighRatingsAreClicks()
    {
        EventLog log = Read("userId,movieId,rating,timestamp\n1,10,4.0,1000000300\n1,11,3.5,1000000200\n2,12,5,1000000200\n");

        Assert.Equal(
            ["11 1000000200000 view", "12 1000000200000 click", "10 1000000300000 click"],
            All(log).Select(row => $"{row.Item} {row.Time} {row.Type}")
        );
    }

    [Fact]
    public void ReadAll_OnlineRetail_KeepsPurchasesOfProductsByKnownCustomers()
    {
        EventLog log = Read(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
                + "536365,85123A,\"HOLDER, WHITE \",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
                + "536366,22633,HAND WARMER,6,2010-12-01 08:28:00,1.85,,United Kingdom\n"
                + "C536379,22632,Discount,1,2010-12-01 09:41:00,27.5,14527.0,United Kingdom\n"
                + "536380,22632,HAND WARMER,-1,2010-12-01 09:41:00,1.85,14527.0,United Kingdom\n"
                + "536381,POST,POSTAGE,3,2010-12-01 09:45:00,18,12583.0,France\n"
                + "536382,BANK CHARGES,Bank Charges,1,2010-12-01 09:45:00,18,12583.0,France\n"
                + "536383,15056BL,UMBRELLA,2,2010-12-01 10:00:00,5.95,13047,United Kingdom\n"
        );

        Assert.Equal(
            [
                new EventRow("17850", "85123A", 1291191960000, "purchase", null),
                new EventRow("13047", "15056BL", 1291197600000, "purchase", null),
            ],
            All(log)
        );
        Assert.Equal("HOLDER, WHITE", log.TitleOf("85123A"));
        Assert.Equal(5, log.Dropped);
        Assert.Equal(0, log.Bad);
    }

    [Fact]
    public void ReadAll_JsonLines_CarriesTypeAndEventId()
    {
        EventLog log = Read(
            "{\"user_id\":\"u\",\"item_id\":\"i\",\"type\":\"cart\",\"event_time_ms\":1700000000000,\"event_id\":\"e1\",\"title\":\"Lamp\"}\n\n"
                + "{\"userId\":\"u\",\"itemId\":\"j\",\"eventTime\":\"2023-11-14T22:13:21Z\"}\n"
        );

        Assert.Equal([new EventRow("u", "i", 1700000000000, "cart", "e1"), new EventRow("u", "j", 1700000001000, "view", null)], All(log));
        Assert.Equal("Lamp", log.TitleOf("i"));
    }

    [Fact]
    public void ReadAll_Gzip_IsToldByItsContent()
    {
        string path = Path.Combine(_folder, "events.csv");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes("user,item,timestamp\nu1,i1,1000000005\n"));
        }

        Assert.Equal(1, ReadAll(path).Count);
    }

    [Fact]
    public void ReadAll_SeveralFiles_AreMergedByTimeAndTiesKeepTheirOrder()
    {
        string first = Write("user,item,timestamp\nu,a,1000000100\nu,b,1000000300\n");
        string second = Write("user,item,timestamp\nu,c,1000000200\nu,d,1000000300\n");

        Assert.Equal(["a", "c", "b", "d"], All(ReadAll(first, second)).Select(row => row.Item));
    }

    [Fact]
    public void ReadAll_EventIdsAfterSorting_StayWithTheirEvents()
    {
        EventLog log = Read(
            "{\"userId\":\"u\",\"itemId\":\"late\",\"eventTime\":2000000000000,\"eventId\":\"two\"}\n{\"userId\":\"u\",\"itemId\":\"early\",\"eventTime\":1900000000000,\"eventId\":\"one\"}\n"
        );

        Assert.Equal(["early one", "late two"], All(log).Select(row => $"{row.Item} {row.EventId}"));
    }

    [Fact]
    public void ReadAll_BadRows_AreCountedAndNamedWithTheirLine()
    {
        string rows = string.Concat(Enumerable.Range(0, 100).Select(i => $"u,i{i},{1_000_000_000 + i}\n"));
        string path = Write("user,item,timestamp\n" + rows + "u,i,never\n,i,1000000005\nu,i\n");

        EventLog log = ReadAll(path);

        Assert.Equal(100, log.Count);
        Assert.Equal(3, log.Bad);
        Assert.Equal(
            [
                $"{path}, line 102: time (timestamp) \"never\" is not a time; allowed: ISO-8601, or a number of s, ms, us or ns since "
                    + "1970 between 1990 and 2100; otherwise set --time-unit or --time-format",
                $"{path}, line 103: user (user) is empty; the record has user, item, timestamp",
                $"{path}, line 104: 2 fields, 3 expected",
            ],
            _warnings
        );
    }

    [Fact]
    public void ReadAll_MostRowsBad_IsRefused()
    {
        string path = Write("user,item,timestamp\n" + string.Concat(Enumerable.Repeat("u,i,never\n", 50)) + "u,i,1000000005\n");

        InputFileException exception = Assert.Throws<InputFileException>(() => ReadAll(path));

        Assert.Contains("50 of 51 rows cannot be read", exception.Message, StringComparison.Ordinal);
        Assert.Contains(", line 2: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal(5, _warnings.Count);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("a,b,c\n1,2,3\n", "unknown format: no column is recognised as user or item or time; the columns are a, b, c")]
    public void ReadAll_UnknownFile_IsRefusedByName(string content, string expected)
    {
        string path = Write(content);

        string message = Assert.Throws<InputFileException>(() => ReadAll(path)).Message;

        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadAll_NoSuchFile_SaysSo()
    {
        InputFileException exception = Assert.Throws<InputFileException>(() => ReadAll(Path.Combine(_folder, "none.csv")));

        Assert.IsType<FileNotFoundException>(exception.InnerException);
    }

    [Fact]
    public void ReadAll_RealDecember_HasTheKnownNumberOfEvents()
    {
        string? data = Environment.GetEnvironmentVariable("STREAMING_DATA");
        Assert.SkipWhen(data is null, "STREAMING_DATA is not set");

        EventLog log = ReadAll(Path.Combine(data!, "online-retail", "2010-12.csv.gz"));

        Assert.Equal(26_059, log.Count);
        Assert.Equal(0, log.Bad);
        Assert.Equal("WHITE HANGING HEART T-LIGHT HOLDER", log.TitleOf("85123A"));
    }

    private static IEnumerable<EventRow> All(EventLog log) => Enumerable.Range(0, log.Count).Select(i => log[i]);

    private EventLog ReadAll(params string[] paths) => EventFileReader.ReadAll(paths, new EventFileOptions(), _warnings.Add);

    private EventLog Read(string content) => ReadAll(Write(content));

    private string Write(string content)
    {
        string path = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, content);
        return path;
    }
}
