using System.Text.Json;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Demo;

/// <summary>The whole program: a Kafka endpoint, Redis, feed, consumer, trainer, publisher and lookups, as a process.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("demo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Demo_SimulatedEvents_AccountsForEveryOneAndReports()
    {
        string file = Path.Combine(_folder, "report.json");
        using var demo = StreamingProcess.Start(["demo", "--count", "3000", "--no-serve", "--report", file, "--interval", "1"], Small);

        Assert.True(await demo.WaitForExitAsync() == 0, demo.Output);

        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        JsonElement root = report.RootElement;
        JsonElement events = root.GetProperty("events");
        long Count(string name) => events.GetProperty(name).GetInt64();
        Assert.Equal(3000, Count("produced"));
        Assert.Equal(3000, Count("trained") + Count("historyOnly") + Count("deadLettered") + Count("duplicates"));
        Assert.Equal(3000, Count("decoded") + Count("deadLettered"));
        Assert.True(Count("duplicates") > 0 && Count("deadLettered") > 0 && Count("historyOnly") > 0, events.ToString());

        Assert.Equal([4, 8, 16], root.GetProperty("widths").EnumerateArray().Select(width => width.GetProperty("width").GetInt32()));
        Assert.All(
            root.GetProperty("widths").EnumerateArray(),
            width => Assert.InRange(width.GetProperty("recall20").GetDouble(), 0.001, 1)
        );
        Assert.All(
            root.GetProperty("widths").EnumerateArray(),
            width => Assert.InRange(width.GetProperty("ndcg20").GetDouble(), 0.0001, 1)
        );
        Assert.InRange(root.GetProperty("baselines").GetProperty("recentPopularity").GetProperty("recall20").GetDouble(), 0.01, 1);
        foreach (string method in (string[])["itemKnn", "markov", "knnAndMarkov", "ownLatest"])
        {
            Assert.InRange(root.GetProperty("baselines").GetProperty(method).GetProperty("recall20").GetDouble(), 0.001, 1);
        }

        Assert.NotEqual("recent popularity", root.GetProperty("baselines").GetProperty("strongest").GetString());
        Assert.Equal([4, 8, 16], root.GetProperty("fused").EnumerateArray().Select(width => width.GetProperty("width").GetInt32()));
        Assert.True(
            root.GetProperty("fused")[2].GetProperty("recall20").GetDouble()
                > root.GetProperty("widths")[2].GetProperty("recall20").GetDouble(),
            root.ToString()
        );
        Assert.InRange(root.GetProperty("cost").GetProperty("share").GetDouble(), 0.0001, 1);
        Assert.True(root.GetProperty("cost").GetProperty("countBytes").GetInt64() > 0);
        Assert.True(
            root.GetProperty("training").GetProperty("loss").GetDouble() > 0,
            "The loss is that of the newest step, also after the last, empty batch."
        );
        Assert.True(root.GetProperty("eventsPerSecond").GetDouble() > 0);

        JsonElement fresh = root.GetProperty("freshnessMilliseconds");
        Assert.InRange(fresh.GetProperty("p50").GetDouble(), 1, fresh.GetProperty("p99").GetDouble());

        // Every item has a catalogue record, so every item is in Redis: 2,000 initially and one per 50 events.
        Assert.InRange(root.GetProperty("redis").GetProperty("items").GetInt64(), 2055, 2065);
        Assert.True(root.GetProperty("redis").GetProperty("bytes").GetInt64() > 2000 * 32);

        JsonElement[] examples = [.. root.GetProperty("examples").EnumerateArray()];
        Assert.Equal(3, examples.Length);
        Assert.All(
            examples,
            example =>
            {
                Assert.Equal(5, example.GetProperty("atSmallest").GetArrayLength());
                Assert.Equal(5, example.GetProperty("atLargest").GetArrayLength());
                Assert.NotEmpty(example.GetProperty("title").GetString()!);
            }
        );
        Assert.Contains("events     produced 3000 = trained ", demo.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_EventFile_IsLearnedWholeAndLookupsAreServedUntilSigterm()
    {
        string events = Path.Combine(_folder, "events.csv");
        await File.WriteAllLinesAsync(
            events,
            [
                "user,item,timestamp",
                .. Enumerable.Range(0, 600).Select(i => $"u{i % 40},i{(i % 40 / 4 * 3) + (i / 40 % 3)},{1_700_000_000 + i}"),
            ],
            TestContext.Current.CancellationToken
        );
        using var demo = StreamingProcess.Start(["demo", "--events", events, "--interval", "1"], Small);

        string serving = await demo.WaitForLineAsync(line => line.StartsWith("serving lookups at ", StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = new Uri(serving.Split(' ')[3]) };
        using var item = JsonDocument.Parse(
            await client.GetStringAsync(new Uri("/items/i4?width=8", UriKind.Relative), TestContext.Current.CancellationToken)
        );
        using var near = JsonDocument.Parse(
            await client.GetStringAsync(
                new Uri("/items/i4/neighbours?width=16&count=3", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal(8, item.RootElement.GetProperty("vector").GetArrayLength());
        Assert.Equal(3, near.RootElement.GetProperty("neighbours").GetArrayLength());

        demo.Terminate();
        Assert.True(await demo.WaitForExitAsync() == 0, demo.Output);
        Assert.Contains(
            "produced 600 = trained 600 + history only 0 + dead letters 0 + duplicates 0",
            demo.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Demo_CatalogueWithTitlesOnly_IsLearnedFromThem()
    {
        string events = Path.Combine(_folder, "events.csv");
        string items = Path.Combine(_folder, "items.csv");
        string file = Path.Combine(_folder, "report.json");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllLinesAsync(
            events,
            [
                "user,item,timestamp",
                .. Enumerable.Range(0, 1200).Select(i => $"u{i % 40},i{(i % 40 * 3) + (i / 40 % 3)},{1_700_000_000 + i}"),
            ],
            cancellation
        );
        await File.WriteAllLinesAsync(
            items,
            ["item,title", .. Enumerable.Range(0, 120).Select(i => $"i{i},Shelf number {i / 3}")],
            cancellation
        );
        using var demo = StreamingProcess.Start(
            ["demo", "--events", events, "--items", items, "--no-serve", "--report", file, "--interval", "1"],
            new Dictionary<string, string>(Small)
            {
                ["STREAMING__Model__ItemIds"] = "false",
                ["STREAMING__Model__FeatureGroups"] = "words:16=title",
            }
        );

        Assert.True(await demo.WaitForExitAsync() == 0, demo.Output);

        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file, cancellation));
        Assert.Equal(1200, report.RootElement.GetProperty("events").GetProperty("trained").GetInt64());
        Assert.Equal(120, report.RootElement.GetProperty("redis").GetProperty("items").GetInt64());

        // Without titles all items would be alike, and 20 of 120 a sixth.
        Assert.True(report.RootElement.GetProperty("widths")[2].GetProperty("recall20").GetDouble() > 0.4, demo.Output);
    }

    [Fact]
    public async Task Demo_SigtermWhileLearning_DrainsReportsAndExitsZero()
    {
        using var demo = StreamingProcess.Start(["demo", "--seconds", "600", "--interval", "0.2"], Small);
        await demo.WaitForLineAsync(line =>
            line.Contains(" events ", StringComparison.Ordinal) && !line.Contains(" 0 events ", StringComparison.Ordinal)
        );

        demo.Terminate();

        Assert.True(await demo.WaitForExitAsync() == 0, demo.Output);
        string[] words = demo
            .Output.Split('\n')
            .Single(line => line.StartsWith("events     produced", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long[] numbers = [.. words.Where(word => long.TryParse(word, out _)).Select(long.Parse)];
        Assert.Equal(numbers[0], numbers[1..].Sum());
    }

    [Fact]
    public async Task Demo_MissingFile_ExitsWithNoInput()
    {
        using var demo = StreamingProcess.Start(["demo", "--events", Path.Combine(_folder, "none.csv")], Small);

        Assert.Equal((int)ExitCode.NoInput, await demo.WaitForExitAsync());
        Assert.Contains("none.csv", demo.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_EventsOfWhichNoneCanBeUsed_ExitsWithBadInputHoweverFewTheyAre()
    {
        string events = Path.Combine(_folder, "events.csv");
        await File.WriteAllLinesAsync(
            events,
            ["user,item,type,timestamp", .. Enumerable.Range(0, 30).Select(i => $"u{i},i{i},look,{1_700_000_000 + i}")],
            TestContext.Current.CancellationToken
        );
        using var demo = StreamingProcess.Start(
            ["demo", "--events", events, "--no-serve"],
            new Dictionary<string, string>(Small) { ["STREAMING__Events__Strict"] = "true", ["STREAMING__Events__Weights"] = "view=1" }
        );

        Assert.Equal((int)ExitCode.BadInput, await demo.WaitForExitAsync());
        Assert.Contains("30 of 30 events are dead letters", demo.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("user=a,itm=b", "'itm' in 'user=a,itm=b' is not a field of an event")]
    [InlineData("user=a", "lacks the item")]
    public async Task Demo_MappingThatCannotBe_IsAUsageError(string columns, string expected)
    {
        using var demo = StreamingProcess.Start(["demo", "--events", "none.csv", "--columns", columns], Small);

        Assert.Equal((int)ExitCode.Usage, await demo.WaitForExitAsync());
        Assert.Contains(expected, demo.Output, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Small =>
        new()
        {
            ["STREAMING__Model__Widths"] = "4,8,16",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__HistoryLength"] = "10",
            ["STREAMING__Model__BankCapacity"] = "512",
            ["STREAMING__Model__ItemCapacity"] = "4000",
            ["STREAMING__Batching__BatchSize"] = "64",
            ["STREAMING__Training__LearningRate__Peak"] = "0.005",
            ["STREAMING__Training__LearningRate__WarmupSteps"] = "5",
            ["STREAMING__Pipeline__PublishInterval"] = "100ms",
            ["STREAMING__Http__Port"] = "0",
        };
}
