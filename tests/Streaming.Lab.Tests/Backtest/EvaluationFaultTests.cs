using System.Globalization;
using System.Text;
using System.Text.Json;
using Streaming.Formats.Files;
using Streaming.Lab.Backtest;
using Streaming.Lab.Commands;
using Streaming.Learning.Checkpoints;
using Streaming.Models.Options;
using Streaming.Tests;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

/// <summary>Input and models that would flatter results, or hide that nothing was measured.</summary>
public sealed class EvaluationFaultTests : IDisposable
{
    private const string Small =
        "--widths 4,8 --set Model__Layers=1 --set Model__HistoryLength=10 --threads 1 --cutoffs 1,10 --loss full --epochs 2 --set "
        + "Offline__BatchSize=16 --set Stream__BatchSize=16";
    private readonly TemporaryFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("leave-one-out")]
    [InlineData("time-split")]
    [InlineData("prequential")]
    public async Task Run_EachEventDeliveredTwice_IsTheSameAsOnce(string protocol)
    {
        string[] lines =
        [
            .. Events(users: 20, items: 30, count: 600)
                .Select(
                    (row, i) =>
                        $"{{\"event_id\":\"e{i}\",\"user_id\":\"{row.User}\",\"item_id\":\"{row.Item}\",\"event_time_ms\":{row.Time}}}\n"
                ),
        ];
        string once = await RowsAsync($"--protocol {protocol} --events {_files.Write("once.jsonl", string.Concat(lines))}");
        string twice = await RowsAsync(
            $"--protocol {protocol} --events {_files.Write("twice.jsonl", string.Concat(lines.Select(line => line + line)))}"
        );
        Assert.Equal(once, twice);
    }

    [Theory]
    [InlineData("leave-one-out")]
    [InlineData("prequential")]
    public async Task Run_TypeOfWeightZero_IsHistoryAndNoTarget(string protocol)
    {
        // A view of an item and its purchase; with weight 0 for views there are half as many examples, each preceded by its view.
        string events = _files.Write(
            "e.jsonl",
            string.Concat(
                Events(users: 20, items: 30, count: 400)
                    .SelectMany(
                        row => ((string, long)[])[("view", row.Time), ("purchase", row.Time + 1)],
                        (row, part) =>
                            $"{{\"user_id\":\"{row.User}\",\"item_id\":\"{row.Item}\",\"event_time_ms\":{part.Item2},\"type\":\"{part.Item1}\"}}\n"
                    )
            )
        );
        using JsonDocument all = await ReportAsync($"--protocol {protocol} --events {events}");
        using JsonDocument purchases = await ReportAsync($"--protocol {protocol} --events {events} --set Events__Weights=view=0");
        int Cases(JsonDocument report) => report.RootElement.GetProperty("rows")[0].GetProperty("cases").GetInt32();
        Assert.Equal(800, purchases.RootElement.GetProperty("events").GetInt32());
        Assert.Equal(protocol == "prequential" ? Cases(all) / 2 : Cases(all), Cases(purchases));
        JsonElement ownLatest = purchases
            .RootElement.GetProperty("rows")
            .EnumerateArray()
            .First(row => row.GetProperty("tower").GetString() == "own-latest");

        // Except for an item's first purchase, which nothing can rank before it.
        Assert.InRange(ownLatest.GetProperty("recall").GetProperty("1").GetDouble(), 0.9, 1);
    }

    [Fact]
    public async Task Run_EveryTargetIsARepeat_MaskedRowsAreZeroAndSaySo()
    {
        var random = new Random(5);
        string sequences = _files.Write(
            "s.txt",
            string.Concat(
                Enumerable
                    .Range(0, 60)
                    .Select(user =>
                    {
                        int[] own = [random.Next(40), random.Next(40), random.Next(40)];
                        return $"u{user} " + string.Join(' ', Enumerable.Range(0, 9).Select(i => $"i{own[i % 3]}")) + "\n";
                    })
            )
        );
        using JsonDocument report = await ReportAsync($"--sequences {sequences}");
        Assert.Equal(
            (60, 60),
            (report.RootElement.GetProperty("targets").GetInt32(), report.RootElement.GetProperty("repeatTargets").GetInt32())
        );
        JsonElement[] rows = [.. report.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.All(
            rows.Where(row => row.GetProperty("historyMasked").GetBoolean()),
            row => Assert.Equal(0, row.GetProperty("recall").GetProperty("10").GetDouble())
        );
        Assert.All(
            rows.Where(row => !row.GetProperty("historyMasked").GetBoolean()),
            row => Assert.True(row.GetProperty("recall").GetProperty("10").GetDouble() > 0)
        );
    }

    [Theory]
    [InlineData("leave-one-out", 40)]
    [InlineData("leave-one-out", 400)]
    [InlineData("prequential", 12)]
    public async Task Run_NoStepCanBeApplied_IsDivergedAndKeepsNothing(string protocol, int users)
    {
        string events = _files.Write("e.csv", Csv(users, items: 30, count: users * 10));
        string items = _files.Write("i.csv", "item,x0\n" + string.Concat(Enumerable.Range(0, 30).Select(i => $"i{i},3.4028235e38\n")));
        string model = _files.Path("model"),
            best = _files.Path("best.env"),
            report = _files.Path("r.json");
        Assert.Equal(
            (int)ExitCode.Diverged,
            await Run(
                $"--protocol {protocol} --events {events} --items {items} --model {model} --write-settings {best} --report {report} {Small}"
            )
        );
        Assert.False(Directory.Exists(model) && Directory.EnumerateDirectories(model).Any());
        Assert.False(File.Exists(best) || File.Exists(report));
    }

    [Fact]
    public async Task Run_ItemRowsRepeated_ChangesNothing()
    {
        string events = _files.Write("e.csv", Csv(users: 30, items: 30, count: 400));
        string[] rows =
        [
            .. Enumerable
                .Range(0, 30)
                .Select(i =>
                    $"i{i},{(i % 4) switch { 0 => "shoe", 1 => "hat", 2 => "coat", _ => "sock" }} {(i % 3 == 0 ? "red" : "blue")}\n"
                ),
        ];
        string once = await RowsAsync($"--events {events} --items {_files.Write("once.csv", "item,title\n" + string.Concat(rows))}");
        string often = await RowsAsync(
            $"--events {events} --items "
                + $"{_files.Write("often.csv", "item,title\n" + string.Concat(Enumerable.Repeat(rows, 7).SelectMany(row => row)))}"
        );
        Assert.Equal(once, often);
    }

    [Theory]
    [InlineData("leave-one-out")]
    [InlineData("prequential")]
    public async Task Run_FeaturesAlone_Trains(string protocol)
    {
        string events = _files.Write("e.csv", Csv(users: 30, items: 30, count: 400));
        string items = _files.Write(
            "i.csv",
            "item,x0,x1\n" + string.Concat(Enumerable.Range(0, 30).Select(i => $"i{i},{i % 5},{i % 7}\n"))
        );
        using JsonDocument report = await ReportAsync(
            $"--protocol {protocol} --events {events} --items {items} --set Model__ItemIds=false"
        );
        Assert.Contains(
            report.RootElement.GetProperty("rows").EnumerateArray(),
            row => row.GetProperty("tower").GetString() == "fmrlrec" && row.GetProperty("recall").GetProperty("10").GetDouble() > 0
        );
        Assert.Equal((int)ExitCode.Configuration, await Run($"--protocol {protocol} --events {events} --set Model__ItemIds=false {Small}"));
        Assert.Contains(
            "--items",
            Assert.Throws<SettingsException>(() => Settings("STREAMING__Model__ItemIds=false")).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("leave-one-out")]
    [InlineData("prequential")]
    public async Task Run_CatalogueWithTitlesOnly_TrainsAndItsModelKeepsTheGroup(string protocol)
    {
        string events = _files.Write("e.csv", Csv(users: 30, items: 30, count: 400));
        string items = _files.Write("t.csv", "item,title\n" + string.Concat(Enumerable.Range(0, 30).Select(i => $"i{i},Shelf {i / 6}\n")));
        string model = _files.Path("titles-" + protocol);
        using JsonDocument report = await ReportAsync(
            $"--protocol {protocol} --events {events} --items {items} --set Model__ItemIds=false "
                + $"--set Model__FeatureGroups=words:16=title --model {model}"
        );
        Assert.Contains(
            report.RootElement.GetProperty("rows").EnumerateArray(),
            row => row.GetProperty("tower").GetString() == "fmrlrec" && row.GetProperty("recall").GetProperty("10").GetDouble() > 0
        );
        ModelOptions kept = Checkpoint.Open(Assert.Single(Directory.GetDirectories(model))).Model;
        Assert.Equal([FeatureGroup.Hashed("words", 16, new TextField("title"))], kept.FeatureGroups);
    }

    [Theory]
    [InlineData("leave-one-out")]
    [InlineData("user-split")]
    [InlineData("time-split")]
    [InlineData("prequential")]
    public async Task Run_ModelOfEvents_IsKeptWithHistories(string protocol)
    {
        string events = _files.Write("e.csv", Csv(users: 40, items: 30, count: 800));
        string model = _files.Path("model-" + protocol);
        Assert.Equal(0, await Run($"--protocol {protocol} --events {events} --no-floors --model {model} {Small}"));
        var checkpoint = Checkpoint.Open(Assert.Single(Directory.GetDirectories(model)));
        Core.Ingestion.IngestState state = checkpoint.ReadIngest(
            new Core.Histories.HistoryOptions { MaxUsers = 100 },
            new Core.Dedup.DedupOptions { Capacity = 10 }
        )!;
        Assert.Equal(40, state.Histories.UserCount);
        Assert.Equal(20, state.Histories.Get(Core.Hashing.XxHash64.Hash("u7"u8), new ulong[256]));
    }

    [Theory]
    [InlineData("--protocol leave-one-out", 50, 50)]
    [InlineData("--protocol user-split", 4, 40)]
    [InlineData("--protocol time-split", 60, 60)]
    [InlineData("--protocol prequential --set Events__DefaultWeight=0", 4, 40)]
    public async Task Run_NothingToMeasure_IsBadInput(string protocol, int users, int count)
    {
        string events = _files.Write("e.csv", Csv(users, items: 30, count));
        Assert.Equal((int)ExitCode.BadInput, await Run($"{protocol} --events {events} --no-floors {Small}"));
    }

    [Fact]
    public void EventStream_LongerThanTheModelReads_TellsRepeatsByAllThatIsKept()
    {
        var events = new EventLog();
        for (int k = 0; k < 180; k++)
        {
            events.Add("u", $"i{k % 60}", 1_000_000_000_000 + k, "view");
        }

        foreach (int length in (int[])[10, 50, 100])
        {
            var stream = new EventStream(events, Settings(), batchSize: 64, length, TimeProvider.System);
            int repeats = 0;
            while (stream.Next(catalogue: null) is { } batch)
            {
                repeats += batch.IsRepeat.AsSpan(0, batch.Count).Count(true);
            }

            Assert.Equal(120, repeats);
        }
    }

    [Fact]
    public async Task Run_DataSettingsVaried_IsRefused() =>
        Assert.Equal(
            (int)ExitCode.Configuration,
            await Run($"--events {_files.Write("e.csv", Csv(5, 5, 50))} --set History__Length=20;40 {Small}")
        );

    [Fact]
    public async Task Run_ScoringEveryFourthBatch_MeasuresAllMethodsOnTheSameExamples()
    {
        string events = _files.Write("e.csv", Csv(users: 30, items: 30, count: 1_600));
        using JsonDocument report = await ReportAsync(
            $"--protocol prequential --events {events} --set Stream__EvaluateEvery=4 --set Stream__SkipShare=0"
        );
        Assert.All(
            report.RootElement.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("segment").GetString() == "All"),
            row => Assert.Equal(400, row.GetProperty("cases").GetInt32())
        );
    }

    private static BacktestOptions Settings(params string[] set) =>
        BacktestSettings.Load(
            set.Select(text => text.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]),
            BacktestProtocol.Prequential
        );

    private static Task<int> Run(string line) =>
        CommandLine.RunAsync(LabCommands.Create(), $"backtest {line}".Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<(string User, string Item, long Time)> Events(int users, int items, int count)
    {
        var random = new Random(9);
        for (int i = 0; i < count; i++)
        {
            yield return ($"u{i % users}", $"i{random.Next(items)}", 1_600_000_000_000 + (i * 60_000L));
        }
    }

    private static string Csv(int users, int items, int count)
    {
        var text = new StringBuilder("user,item,timestamp\n");
        foreach ((string user, string item, long time) in Events(users, items, count))
        {
            text.Append(CultureInfo.InvariantCulture, $"{user},{item},{time}\n");
        }

        return text.ToString();
    }

    private async Task<JsonDocument> ReportAsync(string line)
    {
        string report = _files.Path("report.json");
        Assert.Equal(0, await Run($"{line} --report {report} {Small}"));
        return JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
    }

    private async Task<string> RowsAsync(string line)
    {
        using JsonDocument report = await ReportAsync(line);
        return report.RootElement.GetProperty("rows").GetRawText();
    }
}
