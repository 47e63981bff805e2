using System.Globalization;
using System.Text;
using System.Text.Json;
using Streaming.Lab.Commands;
using Streaming.Tests;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Commands;

public sealed class BacktestRetrainTests : IDisposable
{
    private const string Small =
        "--protocol prequential --widths 4,8 --set Model__Layers=1 --set Model__HistoryLength=10 --set Stream__BatchSize=16 --threads 1 "
        + "--cutoffs 5,10 --no-floors";
    private const int EventsADay = 60;
    private const int ItemCount = 12;
    private readonly TemporaryFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Run_Retrain_ScoresBothModelsOnTheSameExamples()
    {
        using JsonDocument report = await ReportAsync("--retrain 3d --set Retrain__BatchSize=64");
        JsonElement[] rows = Rows(report);
        JsonElement[] retrained = [.. rows.Where(row => Text(row, "tower") == "retrained 3d")];
        JsonElement[] stream = [.. rows.Where(row => Text(row, "tower") == "fmrlrec")];

        Assert.All(retrained, row => Assert.Equal("inbatch", Text(row, "loss")));
        Assert.Equal(stream.Select(Cases), retrained.Select(Cases));
        Assert.Contains(retrained, row => Text(row, "segment") == "NewItems");

        // Ten days: nothing before the first training, after three of them, is measured.
        Assert.Equal(7 * EventsADay, All(retrained).GetProperty("cases").GetInt32());
        Assert.Equal(3, report.RootElement.GetProperty("retraining").GetProperty("trainings").GetInt32());
    }

    [Fact]
    public async Task Run_Retrain_DaysSinceTrainingAddUpToTheRow()
    {
        using JsonDocument report = await ReportAsync("--retrain 3d --retrain-passes 1 --set Stream__EvaluateEvery=3");
        JsonElement retraining = report.RootElement.GetProperty("retraining");
        JsonElement[] models = [.. retraining.GetProperty("models").EnumerateArray()];
        Assert.Equal("3d", Text(retraining, "every"));
        Assert.Equal(["fmrlrec cbns", "retrained 3d"], models.Select(model => Text(model, "model")));
        Assert.Equal(["each batch", "passes 1, warm"], models.Select(model => Text(model, "training")));
        foreach ((JsonElement model, string tower) in models.Zip((string[])["fmrlrec", "retrained 3d"]))
        {
            JsonElement[] rows = [.. Rows(report).Where(row => Text(row, "tower") == tower && row.GetProperty("width").GetInt32() == 8)];
            JsonElement[] days = [.. model.GetProperty("daysSinceTraining").EnumerateArray()];
            Assert.Equal(3, days.Length);
            AddUp(days, "cases", "recall", rows.Single(row => Text(row, "segment") == "All"));
            AddUp(days, "newItemCases", "newItemRecall", rows.Single(row => Text(row, "segment") == "NewItems"));
            Assert.True(model.GetProperty("processorSeconds").GetDouble() > 0);
        }
    }

    [Fact]
    public async Task Run_Retrain_LearnsWhatTheStreamHas()
    {
        using JsonDocument report = await ReportAsync("--retrain 1d --retrain-passes 5 --set Retrain__BatchSize=64");
        JsonElement[] retrained = [.. Rows(report).Where(row => Text(row, "tower") == "retrained 1d")];
        double recall = All(retrained).GetProperty("recall").GetProperty("5").GetDouble();
        Assert.True(recall > 0.5, $"Recall@5 is {recall}; each item has one successor among {ItemCount}.");
    }

    [Theory]
    [InlineData("full", "fmrlrec")]
    [InlineData("uniform", "gru4rec")]
    [InlineData("mns", "youtubednn")]
    [InlineData("inbatch", "mind")]
    public async Task Run_Retrain_TrainsEachLossAndTower(string loss, string tower)
    {
        using JsonDocument report = await ReportAsync(
            $"--retrain 2d --retrain-passes 8 --set Retrain__BatchSize=64 --loss {loss} --tower {tower}"
        );
        JsonElement[] retrained = [.. Rows(report).Where(row => Text(row, "tower") == "retrained 2d")];
        double recall = All(retrained).GetProperty("recall").GetProperty("5").GetDouble();
        Assert.All(retrained, row => Assert.Equal(loss, Text(row, "loss")));
        Assert.True(recall > 1.2 * 5 / ItemCount, $"Recall@5 is {recall}; chance gives {5.0 / ItemCount:F2}.");
    }

    [Fact]
    public async Task Run_SettingsOfRetraining_DoNotTrainTheStreamAgain()
    {
        using JsonDocument first = await ReportAsync("--retrain 3d --retrain-start cold");
        using JsonDocument both = await ReportAsync("--retrain 3d --retrain-start cold;warm");
        JsonElement[] rows = Rows(both);
        JsonElement[] stream = [.. rows.Where(row => !Text(row, "tower").StartsWith("retrained", StringComparison.Ordinal))];
        JsonElement[] cold = [.. rows.Where(row => Text(row, "settings").Contains("=cold", StringComparison.Ordinal))];
        JsonElement[] warm = [.. rows.Where(row => Text(row, "settings").Contains("=warm", StringComparison.Ordinal))];

        Assert.All(stream, row => Assert.Equal("", Text(row, "settings")));
        Assert.Equal(cold.Length, warm.Length);
        Assert.Equal(rows.Length, stream.Length + cold.Length + warm.Length);
        Assert.NotEqual(All(cold).GetProperty("ndcg").GetRawText(), All(warm).GetProperty("ndcg").GetRawText());

        // The same seed gives the same figures.
        JsonElement[] again = [.. Rows(first).Where(row => Text(row, "tower") == "retrained 3d")];
        Assert.Equal(again.Select(row => row.GetProperty("ndcg").GetRawText()), cold.Select(row => row.GetProperty("ndcg").GetRawText()));
    }

    [Theory]
    [InlineData("--retrain 0d", "STREAMING__Retrain__Every is 0s; allowed: 1m and up, such as 1d or 7d.")]
    [InlineData("--retrain=-7d", "STREAMING__Retrain__Every is -7d; allowed: 1m and up, such as 1d or 7d.")]
    [InlineData("--retrain 7w", "STREAMING__Retrain__Every is '7w'; allowed: a time such as 500ms, 1s, 5m, 2h, 7d or 00:00:01.5.")]
    [InlineData(
        "--retrain 30d",
        "STREAMING__Retrain__Every (--retrain) is 30d, and the events span 9.98 days: no training would take place"
    )]
    [InlineData("--retrain 1d;2d", "STREAMING__Retrain__Every has several values; allowed: one")]
    [InlineData("--retrain 1d --retrain-passes 2;0", "STREAMING__Retrain__Passes is 0; allowed: 1 … 1000.")]
    [InlineData("--retrain 1d --retrain-start hot", "STREAMING__Retrain__Start is 'hot'; allowed: one of Warm, Cold.")]
    [InlineData(
        "--retrain 1d --protocol time-split",
        "STREAMING__Retrain__Every (--retrain) is 1d with --protocol time-split; allowed: --protocol prequential."
    )]
    public async Task Run_WrongRetraining_IsRefusedWithWhatIsAllowed(string options, string error)
    {
        string line = options.Contains("--protocol", StringComparison.Ordinal) ? Small["--protocol prequential".Length..] : Small;
        using var process = StreamingProcess.Start(
            $"backtest --events {Events()} {line} {options}".Split(' ', StringSplitOptions.RemoveEmptyEntries),
            new Dictionary<string, string>()
        );
        Assert.Equal((int)ExitCode.Configuration, await process.WaitForExitAsync());
        Assert.Contains(error, process.Output, StringComparison.Ordinal);
    }

    private static void AddUp(JsonElement[] days, string cases, string recall, JsonElement row)
    {
        Assert.Equal(row.GetProperty("cases").GetInt32(), days.Sum(day => day.GetProperty(cases).GetInt32()));
        double hits = days.Sum(day => day.GetProperty(cases).GetInt32() * day.GetProperty(recall).GetDouble());
        Assert.Equal(row.GetProperty("recall").GetProperty("10").GetDouble(), hits / row.GetProperty("cases").GetInt32(), 1e-5);
    }

    private static JsonElement All(IEnumerable<JsonElement> rows) => rows.Last(row => Text(row, "segment") == "All");

    private static string Cases(JsonElement row) =>
        $"{Text(row, "segment")} {row.GetProperty("width").GetInt32()} {row.GetProperty("cases").GetInt32()}";

    private static JsonElement[] Rows(JsonDocument report) => [.. report.RootElement.GetProperty("rows").EnumerateArray()];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static Task<int> Run(string line) =>
        CommandLine.RunAsync(LabCommands.Create(), $"backtest {line}".Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private async Task<JsonDocument> ReportAsync(string options)
    {
        string report = _files.Path("report.json");
        Assert.Equal(0, await Run($"--events {Events()} {Small} {options} --report {report}"));
        return JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
    }

    /// <summary>Ten days of events; each user takes the items in the same order, again and again.</summary>
    private string Events()
    {
        var text = new StringBuilder("user,item,timestamp\n");
        for (int i = 0; i < 10 * EventsADay; i++)
        {
            int user = i % 20;
            text.Append(
                CultureInfo.InvariantCulture,
                $"u{user},i{(user + (i / 20)) % ItemCount},{1_600_000_000_000L + (i * 86_400_000L / EventsADay)}\n"
            );
        }

        return _files.Write("events.csv", text.ToString());
    }
}
