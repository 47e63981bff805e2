using System.Text;
using StackExchange.Redis;
using Streaming.Lab.Commands;
using Streaming.Learning.Checkpoints;
using Streaming.Serving;
using Streaming.Serving.Lookups;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>From a recorded log to a live model: `backtest --model`, then `run --from`.</summary>
public sealed class WarmStartTests : IDisposable
{
    private const int LogItems = 60;
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-warm-").FullName;

    private string Model => Path.Combine(_folder, "model");

    private string SettingsFile => Path.Combine(_folder, "best.env");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task RunFrom_ModelOfAPrequentialBacktest_StartsLiveWithItsItemsWeightsAndHistories()
    {
        await BacktestAsync("prequential --loss cbns --cutoffs 5,10 --events", Events());
        await using FaultBench bench = await FaultBench.StartAsync();
        await using (var worker = new RunningWorker(bench.Values, new RunRequest(null, Model)))
        {
            await worker.UntilAsync(
                w => w.Log.Text.Contains("all weights and optimiser state", StringComparison.Ordinal),
                "it has started from the model"
            );
            Assert.Contains($"adopted: {LogItems} items", worker.Log.Text, StringComparison.Ordinal);

            // The log's items have no event in the live stream: their embeddings in Redis come from the model.
            await UntilPublishedAsync(bench);
            long before = worker.Status.Counts.Trained; // Includes the log's events.
            await worker.UntilAsync(w => w.Status.Counts.Trained > before + 200, "it learns");
            Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
        }

        Checkpoint own = new CheckpointStore(bench.Checkpoints, 3, TimeProvider.System, _ => { }).FindNewest()!;
        long users = CheckpointReport.Of(own.FolderPath).Ingest!.Users;
        Assert.True(users > 300, $"{users} users have histories; the log has 300, beside the live ones");

        await using var again = new RunningWorker(bench.Values, new RunRequest(null, Model));
        await again.UntilAsync(
            w =>
                w.Log.Text.Contains("Resuming from checkpoint", StringComparison.Ordinal)
                && w.Log.Text.Contains("this model already has a checkpoint", StringComparison.Ordinal),
            "it resumes from its own checkpoint, and says so"
        );
    }

    [Fact]
    public async Task RunFrom_ModelOfAnOfflineBacktest_StartsLiveOrSaysWhatDiffers()
    {
        await BacktestAsync("leave-one-out --loss full --epochs 2 --events", Events());
        await using FaultBench bench = await FaultBench.StartAsync();
        TakeModelSettings(bench);
        await using (var worker = new RunningWorker(bench.Values, new RunRequest(null, Model)))
        {
            await worker.UntilAsync(
                w => w.Log.Text.Contains($"adopted: {LogItems} items, frequencies, all weights", StringComparison.Ordinal),
                "it has started from the model"
            );
            await UntilPublishedAsync(bench);
        }

        bench.Settings["STREAMING__Model__Widths"] = "8,24";
        bench.Settings["STREAMING__Model__Tower"] = "Gru4Rec";
        bench.Settings["STREAMING__Redis__Model"] = "other";
        bench.Settings["STREAMING__Checkpoint__Folder"] = Path.Combine(_folder, "other");
        await using var refused = new RunningWorker(bench.Values, new RunRequest(null, Model));
        Assert.Equal(ExitCode.StateMismatch, await refused.EndAsync());
        Assert.Contains(
            "Model.Widths is 8,24, the other has 8,16; Model.Tower is Gru4Rec, the other has FmrlRec",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task RunFrom_NothingThere_IsNoInput()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using var worker = new RunningWorker(bench.Values, new RunRequest(null, Path.Combine(_folder, "nowhere")));
        Assert.Equal(ExitCode.NoInput, await worker.EndAsync());
        Assert.Contains("nowhere", worker.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backtest_ModelFolderInUse_IsRefusedBeforeAnythingIsRead()
    {
        Directory.CreateDirectory(Path.Combine(Model, "something"));
        Assert.Equal(
            (int)ExitCode.Configuration,
            await CommandLine.RunAsync(LabCommands.Create(), ["backtest", "--events", "nowhere.csv", "--model", Model])
        );
    }

    private static async Task UntilPublishedAsync(FaultBench bench)
    {
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        var reader = new EmbeddingReader(redis.GetDatabase(), new ServingOptions { Model = "faults" }, TimeProvider.System);
        string[] ids = [.. Enumerable.Range(0, LogItems).Select(static i => $"old{i}")];
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await reader.ReadAsync(ids, 16, new float[ids.Length * 16], new ItemRead[ids.Length], limit.Token)).Found < ids.Length)
        {
            await Task.Delay(50, limit.Token);
        }
    }

    /// <summary>The usual workflow: the live model uses the backtest's settings file, including offline defaults.</summary>
    private void TakeModelSettings(FaultBench bench)
    {
        foreach (
            SettingInput input in Worker
                .Settings.SettingsFile.Read(SettingsFile, WorkerSettings.Catalogue)
                .Inputs.Where(static input => input.Name.StartsWith("STREAMING__Model__", StringComparison.Ordinal))
        )
        {
            bench.Settings[input.Name] = input.Text;
        }

        Assert.Equal("0.25", bench.Settings["STREAMING__Model__OutputNegatives"]);
    }

    private async Task BacktestAsync(string protocol, string events)
    {
        string line =
            $"backtest --protocol {protocol} {events} --set Model__Widths=8,16 --set Model__Layers=1 --set Model__HistoryLength=10 "
            + $"--threads 1 --no-floors --model {Model} --write-settings {SettingsFile}";
        Assert.Equal((int)ExitCode.Success, await CommandLine.RunAsync(LabCommands.Create(), line.Split(' ')));
        Assert.Equal(ExitCode.Success, InspectCommand.Run(Model, json: false, TextWriter.Null));
    }

    /// <summary>300 users who each walk along six cycles of ten items, a day ago.</summary>
    private string Events()
    {
        var random = new Random(11);
        var text = new StringBuilder("user,item,timestamp\n");
        long time = TimeProvider.System.GetUtcNow().AddDays(-1).ToUnixTimeSeconds();
        for (int user = 0; user < 300; user++)
        {
            (int circle, int place) = (random.Next(6), random.Next(10));
            for (int i = 0; i < 7; i++)
            {
                text.Append(FormattableString.Invariant($"past{user},old{(circle * 10) + ((place + i) % 10)},{time++}\n"));
            }
        }

        string file = Path.Combine(_folder, "events.csv");
        File.WriteAllText(file, text.ToString());
        return file;
    }
}
