using System.Text;
using System.Text.Json;
using Streaming.Lab.Commands;
using Streaming.Learning.Checkpoints;
using Streaming.Tests;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Commands;

public class BacktestCommandTests
{
    private const string Small = "--set Model__Widths=4,8 --set Model__Layers=1 --set Model__HistoryLength=10 --threads 1";

    [Theory]
    [InlineData("leave-one-out", "fmrlrec")]
    [InlineData("user-split", "fmrlrec")]
    [InlineData("leave-one-out", "youtubednn")]
    [InlineData("leave-one-out", "gru4rec")]
    [InlineData("leave-one-out", "mind")]
    public async Task Run_PatternToBeLearned_BeatsPopularity(string protocol, string tower)
    {
        using var files = new TemporaryFiles();
        string report = files.Path("report.json");
        string sequences = files.WriteGzip("sequences.txt.gz", Cycles(users: 300));
        int code = await Run(
            $"backtest --protocol {protocol} --sequences {sequences} --tower {tower} --loss full --epochs 12 --set "
                + $"Offline__LearningRate=0.01 --set Offline__WarmupSteps=10 --set Offline__BatchSize=32 {Small} --report {report}"
        );

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];
        double popularity = Recall(rows, "popularity", 0);
        double model = Recall(rows, tower, 8);
        Assert.True(model > 2 * popularity, $"Recall@5 is {model}; popularity has {popularity}.");
        Assert.Equal(
            ["popularity", "item-knn", "markov", "knn+markov", "own-latest", tower],
            rows.Select(row => row.GetProperty("tower").GetString()!).Distinct()
        );
        Assert.Contains(rows, row => row.GetProperty("width").GetInt32() == 4);
    }

    [Fact]
    public async Task Run_NoTestCase_IsBadInput()
    {
        using var files = new TemporaryFiles();
        string sequences = files.Write("short.txt", string.Concat(Enumerable.Range(0, 50).Select(user => $"u{user} a b\n")));

        Assert.Equal(
            (int)ExitCode.BadInput,
            await Run($"backtest --protocol leave-one-out --sequences {sequences} --loss full --epochs 1 {Small}")
        );
    }

    [Theory]
    [InlineData("--report")]
    [InlineData("--markdown")]
    [InlineData("--write-settings")]
    [InlineData("--model")]
    public async Task Run_OutputThatCannotBeWritten_IsRefusedBeforeTheDataAreRead(string option) =>
        Assert.Equal(
            (int)ExitCode.Configuration,
            await Run($"backtest --protocol leave-one-out --sequences /none --epochs 1 {Small} {option} /proc/none/out")
        );

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 5)]
    public async Task Run_ModelThatNeverGetsBetter_FirstEpochIsKeptOrTheLast(bool keepLast, int keptEpoch)
    {
        using var files = new TemporaryFiles();
        string model = files.Path("model");
        string sequences = files.WriteGzip("sequences.txt.gz", Cycles(users: 64));
        int code = await Run(
            $"backtest --sequences {sequences} --loss full --epochs 5 --set Offline__Patience=2 --set Offline__KeepLast={keepLast} "
                + $"--set Offline__LearningRate=1e-20 --set Offline__BatchSize=32 {Small} --no-floors --model {model}"
        );

        Assert.Equal(0, code);
        const int stepsPerEpoch = 2;
        Assert.Equal(keptEpoch * stepsPerEpoch, Checkpoint.Open(Assert.Single(Directory.GetDirectories(model))).Manifest.Step);
    }

    [Fact]
    public async Task Run_Prequential_LearnsFromOnePass()
    {
        using var files = new TemporaryFiles();
        string report = files.Path("report.json");
        string settings = files.Path("best.env");
        string events = files.Write("events.csv", CycleEvents(users: 400));
        int code = await Run(
            $"backtest --protocol prequential --events {events} --loss inbatch --set Training__LearningRate__Peak=0.01 --set "
                + $"Training__LearningRate__WarmupSteps=10 --set Stream__BatchSize=32 --cutoffs 5,10 {Small} --report {report} "
                + $"--write-settings {settings}"
        );

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        JsonElement[] rows =
        [
            .. json
                .RootElement.GetProperty("rows")
                .EnumerateArray()
                .Where(row => row.GetProperty("segment").GetString() == "NewItemsOfKnownUsers"),
        ];
        double popularity = Recall(rows, "recent-popularity", 0);
        double model = Recall(rows, "fmrlrec", 8);
        Assert.True(model > 1.5 * popularity, $"Recall@5 is {model}; recent popularity has {popularity}.");
        string[] lines = await File.ReadAllLinesAsync(settings, TestContext.Current.CancellationToken);
        Assert.Contains("STREAMING__Model__Widths=4,8", lines);
        Assert.Contains("STREAMING__Stream__BatchSize=32", lines);
    }

    [Fact]
    public async Task Run_PlantedDrift_ShowsTheFallAndTheRecovery()
    {
        using var files = new TemporaryFiles();
        string report = files.Path("report.json");
        string events = files.Write("events.csv", CycleEvents(users: 1200));
        int code = await Run(
            $"backtest --protocol prequential --events {events} --drift-at 0.5 --loss cbns --set Training__LearningRate__Peak=0.01 "
                + "--set Training__LearningRate__WarmupSteps=10 --set Training__Evaluation__Window=500 --set Stream__BatchSize=32 "
                + $"--cutoffs 5,10 {Small} --report {report}"
        );

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        int count = json.RootElement.GetProperty("events").GetInt32();
        JsonElement[] curves = [.. json.RootElement.GetProperty("curves").EnumerateArray()];
        Assert.Equal(
            ["recent-popularity", "item-knn", "markov", "knn+markov", "own-latest", "isgd", "fmrlrec cbns", "fmrlrec cbns fused"],
            curves.Select(curve => curve.GetProperty("model").GetString()!)
        );
        JsonElement[] afterDrift =
        [
            .. json.RootElement.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("segment").GetString() == "AfterDrift"),
        ];
        Assert.All(afterDrift, row => Assert.Equal(count - (count / 2), row.GetProperty("cases").GetInt32()));
        Assert.Contains(afterDrift, row => row.GetProperty("tower").GetString() == "fused");
        var points = curves[^2]
            .GetProperty("points")
            .EnumerateArray()
            .Select(point => (Events: point.GetProperty("events").GetInt32(), Recall: point.GetProperty("recall").GetDouble()))
            .ToList();
        double before = points.Last(point => point.Events <= count / 2).Recall;
        double after = points.First(point => point.Events >= (count / 2) + 500).Recall;
        Assert.True(after < 0.7 * before, $"Recall is {after} after the drift; before it was {before}.");
        Assert.True(points[^1].Recall > 1.2 * after, $"Recall is {points[^1].Recall} at the end; after the drift it was {after}.");
    }

    [Fact]
    public async Task Run_TwoSeedsAndAlone_ReportsSpreadAndRowsOfEach()
    {
        using var files = new TemporaryFiles();
        string report = files.Path("report.json");
        int code = await Run(
            $"backtest --sequences {files.Write("s.txt", Cycles(users: 60))} --tower youtubednn --loss cbns --epochs 2 --seeds 1,2 "
                + $"--alone --no-floors {Small} --report {report}"
        );

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];

        // Two widths, nested and each alone, masked and unmasked.
        Assert.Equal(8, rows.Length);
        Assert.Equal(4, rows.Count(row => row.GetProperty("alone").GetBoolean()));
        Assert.Contains(rows, row => row.GetProperty("recallSpread").GetProperty("50").GetDouble() > 0);

        // The nested model, one of each width, and their sum.
        JsonElement[] costs = [.. json.RootElement.GetProperty("costs").EnumerateArray()];
        Assert.Equal(["4,8", "4", "8", "4,8"], costs.Select(cost => string.Join(',', cost.GetProperty("widths").EnumerateArray())));
        Assert.Equal("2 models", costs[3].GetProperty("model").GetString());
        foreach (string sum in (string[])["parameters", "checkpointBytes", "storeBytes", "steps"])
        {
            Assert.Equal(costs[1].GetProperty(sum).GetInt64() + costs[2].GetProperty(sum).GetInt64(), costs[3].GetProperty(sum).GetInt64());
            Assert.True(costs[1].GetProperty(sum).GetInt64() > 0);
        }

        // Nested weights are block-triangular: a few less than those of the widest model alone.
        long[] parameters = [.. costs.Select(static cost => cost.GetProperty("parameters").GetInt64())];
        Assert.InRange(parameters[0], parameters[1] + 1, parameters[2]);
        Assert.All(costs, static cost => Assert.True(cost.GetProperty("processorSeconds").GetDouble() > 0));
    }

    /// <summary>Losses as rows of one table; settings that go together, CBNS as published, as one more.</summary>
    [Theory]
    [InlineData("prequential", "--set Stream__BatchSize=32 --set Training__UniformNegatives=16")]
    [InlineData("time-split", "--epochs 1 --set Offline__UniformNegatives=16 --set Offline__BankWarmupSteps=2 --set Offline__BatchSize=16")]
    public async Task Run_UnionAndAnotherModel_HaveRowsOfTheSameTable(string protocol, string settings)
    {
        using var files = new TemporaryFiles();
        string report = files.Path("report.json");
        string events = files.Write("events.csv", CycleEvents(users: 100));
        string line =
            $"backtest --protocol {protocol} --events {events} --loss union;mns {settings} --cutoffs 5,10 --no-floors {Small} --report {report}";
        int code = await CommandLine.RunAsync(
            LabCommands.Create(),
            [.. line.Split(' '), "--also", "Model__Loss=cbns Model__BalanceBank=false Model__Cosine=false Model__Temperature=1"]
        );

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal(
            ["cbns", "mns", "union"],
            rows.Select(row => row.GetProperty("loss").GetString()!).Where(loss => loss != "none").Distinct().Order()
        );
        JsonElement[] published = [.. rows.Where(row => row.GetProperty("loss").GetString() == "cbns")];
        Assert.All(
            published,
            row =>
                Assert.Contains(
                    "Model__BalanceBank=false Model__Cosine=false Model__Temperature=1",
                    row.GetProperty("settings").GetString(),
                    StringComparison.Ordinal
                )
        );
        Assert.Contains(
            rows,
            row => row.GetProperty("loss").GetString() == "union" && row.GetProperty("recall").GetProperty("10").GetDouble() > 0.2
        );
    }

    [Theory]
    [InlineData("backtest --protocol leave-one-out", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt", ExitCode.NoInput)]
    [InlineData("backtest --sequences nowhere.txt --protocol prequential", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --cutoffs 20", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --set Model__Nothing=1", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --also Model__Nothing=1", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --also Model__Layers", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --also Events__Weights=view=0", ExitCode.Configuration)]
    [InlineData("backtest --sequences nowhere.txt --drift-at 0.5", ExitCode.Configuration)]
    [InlineData("backtest --events nowhere.csv --protocol prequential --alone", ExitCode.Configuration)]
    [InlineData("backtest --events nowhere.csv --protocol prequential --drift-at 1.5", ExitCode.Configuration)]
    [InlineData("backtest --protocol other", ExitCode.Usage)]
    [InlineData("backtest --events nowhere.csv --items nowhere.csv --item-columns title=name", ExitCode.Usage)]
    [InlineData("demo --events nowhere.csv --items nowhere.csv --item-columns item=$key", ExitCode.Usage)]
    public async Task Run_WrongRequest_HasTheExitCode(string line, object code) => Assert.Equal((int)(ExitCode)code, await Run(line));

    private static Task<int> Run(string line) =>
        CommandLine.RunAsync(LabCommands.Create(), line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static double Recall(JsonElement[] rows, string tower, int width) =>
        rows.First(row =>
                row.GetProperty("tower").GetString() == tower
                && row.GetProperty("width").GetInt32() == width
                && row.GetProperty("historyMasked").GetBoolean()
            )
            .GetProperty("recall")
            .GetProperty("5")
            .GetDouble();

    /// <summary>60 items in six cycles of ten; a user walks along one of them from a random start.</summary>
    private static IEnumerable<(int User, int Item)> Walks(int users)
    {
        var random = new Random(11);
        for (int user = 0; user < users; user++)
        {
            int circle = random.Next(6);
            int place = random.Next(10);
            for (int i = 0; i < 7; i++)
            {
                yield return (user, (circle * 10) + ((place + i) % 10));
            }
        }
    }

    private static string Cycles(int users)
    {
        var text = new StringBuilder();
        foreach (IGrouping<int, (int User, int Item)> walk in Walks(users).GroupBy(step => step.User))
        {
            text.Append('u').Append(walk.Key).Append(' ').AppendJoin(' ', walk.Select(step => $"i{step.Item}")).AppendLine();
        }

        return text.ToString();
    }

    private static string CycleEvents(int users)
    {
        var text = new StringBuilder("user,item,timestamp\n");
        int time = 1_600_000_000;
        foreach ((int user, int item) in Walks(users))
        {
            text.Append('u').Append(user).Append(",i").Append(item).Append(',').Append(time += 10).AppendLine();
        }

        return text.ToString();
    }
}
