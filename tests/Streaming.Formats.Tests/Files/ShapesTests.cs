using System.Globalization;
using Streaming.Formats.Files;
using Streaming.Formats.Mapping;
using Xunit;

namespace Streaming.Formats.Tests.Files;

/// <summary>
/// The same 500 events as written by many tools, in a folder named by STREAMING_SHAPES. <see cref="SampleFilesTests"/>
/// tests the requirements of each kind without it, on small samples.
/// </summary>
public sealed class ShapesTests
{
    private const string NotSet = "STREAMING_SHAPES is not set";
    private static readonly string[] Folders = ["parquet/", "text/", "json/", "avro/"];

    /// <summary>Gets the file shapes of the manifest.</summary>
    public static IEnumerable<TheoryDataRow<string>> Names =>
        Manifest() is { } lines ? lines.Select(static line => new TheoryDataRow<string>(line[0])) : [new TheoryDataRow<string>(NotSet)];

    private static string? Root => Environment.GetEnvironmentVariable("STREAMING_SHAPES");

    [Theory]
    [MemberData(nameof(Names))]
    public void ReadAll_Shape_GivesItsEvents(string name)
    {
        Assert.SkipWhen(name == NotSet, NotSet);
        string[] line = Manifest()!.Single(fields => fields[0] == name);
        int count = int.Parse(line[2], CultureInfo.InvariantCulture);
        string remark = line[4];
        var options = new EventFileOptions
        {
            Columns = line[3].Length > 0 ? FieldMap.Parse(line[3]) : null,
            Times = new TimeReader(format: remark.Split("--time-format \"") is [_, var rest] ? rest.Split('"')[0] : null),
        };
        var warnings = new List<string>();

        EventLog Read() => EventFileReader.ReadAll([Path.Combine(Root!, name)], options, warnings.Add);

        if (count == 0)
        {
            Assert.Contains("no event", Assert.ThrowsAny<Exception>(Read).Message, StringComparison.Ordinal);
            return;
        }

        EventLog log = Read();
        Assert.Equal(count, log.Count);
        bool isSeconds =
            remark.Contains("whole seconds", StringComparison.Ordinal)
            || remark.Contains("lose their milliseconds", StringComparison.Ordinal);
        HashSet<(string, string, long)> expected =
        [
            .. Reference().Select(row => (row.User, row.Item, isSeconds ? row.Time / 1000 * 1000 : row.Time)),
        ];
        Assert.All(
            Enumerable.Range(0, count),
            i => Assert.Contains((log[i].User.Replace("user_", string.Empty, StringComparison.Ordinal), log[i].Item, log[i].Time), expected)
        );
        Assert.True(
            line[3].Contains("type=", StringComparison.Ordinal) is false || log.Count == Types(log),
            "an event has no type of its own"
        );
        if (name.Contains("nulls", StringComparison.Ordinal))
        {
            Assert.Equal(10, log.Bad);
            Assert.NotEmpty(warnings);
        }
    }

    private static int Types(EventLog log)
    {
        string[] known = ["view", "cart", "purchase", "view_item", "add_to_cart"];
        return Enumerable
            .Range(0, log.Count)
            .Count(i => known.Contains(log[i].Type) || known.Any(type => log[i].Type.EndsWith("." + type, StringComparison.Ordinal)));
    }

    private static IEnumerable<EventRow> Reference() =>
        File.ReadLines(Path.Combine(Root!, "events.tsv"))
            .Skip(1)
            .Select(static line => line.Split('\t'))
            .Select(static fields => new EventRow(
                fields[0],
                fields[1],
                long.Parse(fields[3], CultureInfo.InvariantCulture),
                fields[2],
                fields[4]
            ));

    private static List<string[]>? Manifest() =>
        Root is null
            ? null
            :
            [
                .. File.ReadLines(Path.Combine(Root, "manifest.tsv"))
                    .Skip(1)
                    .Select(static line => line.Split('\t'))
                    .Where(static fields =>
                        Folders.Any(folder => fields[0].StartsWith(folder, StringComparison.Ordinal)) || fields[0] == "events.tsv"
                    ),
            ];
}
