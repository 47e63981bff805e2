using System.Net;
using System.Text.Json;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>`streaming run` as a process, with a private Kafka endpoint and Redis.</summary>
public sealed class WorkerRunTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("run-").FullName;
    private readonly EmbeddedBroker _broker = new();
    private LocalRedisServer _redis = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await LocalRedisServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        _broker.CreateTopic("interactions", 2);
        _broker.CreateTopic("items", 1);
        _broker.CreateTopic("interactions.dead-letters", 1);
    }

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _broker.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Run_SigtermAndRestart_EveryEventCountsOnce()
    {
        using (StreamingProcess worker = Start("run"))
        {
            await ReadyAsync(worker);
            await ReplayAsync(500);
            await ReadAllAsync(worker, 500);
            worker.Terminate();
            Assert.True(await worker.WaitForExitAsync() == 0, worker.Output);
            Assert.Contains("Checkpoint", worker.Output, StringComparison.Ordinal);
        }

        await ReplayAsync(300);
        using StreamingProcess again = Start("run");
        await ReadyAsync(again);
        Assert.Contains("Resuming from checkpoint", again.Output, StringComparison.Ordinal);
        await ReadAllAsync(again, 300);
        again.Terminate();

        Assert.True(await again.WaitForExitAsync() == 0, again.Output);
        Assert.Contains("800 records read since the stream's beginning", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SecondWorker_StandsByAndTakesOver()
    {
        using StreamingProcess first = Start("run");
        await ReadyAsync(first);
        using StreamingProcess second = Start("run");
        await second.WaitForLineAsync(line => line.Contains("standing by", StringComparison.Ordinal));
        using (var client = new HttpClient { BaseAddress = await AddressAsync(second) })
        {
            using HttpResponseMessage ready = await client.GetAsync(
                new Uri("/health/ready", UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            using HttpResponseMessage live = await client.GetAsync(
                new Uri("/health/live", UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (ready.StatusCode, live.StatusCode));
            JsonElement standby = await FiguresAsync(client, "/status");
            Assert.Equal(JsonValueKind.Null, standby.GetProperty("pipeline").ValueKind);
            Assert.True(standby.GetProperty("trains").GetBoolean());
            Assert.Equal(0, (await FiguresAsync(client, "/figures")).GetProperty("at").GetArrayLength());
        }

        using (var client = new HttpClient { BaseAddress = await AddressAsync(first) })
        {
            Assert.Equal(JsonValueKind.Object, (await FiguresAsync(client, "/status")).GetProperty("pipeline").ValueKind);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while ((await FiguresAsync(client, "/figures")).GetProperty("at").GetArrayLength() < 2)
            {
                await Task.Delay(100, limit.Token);
            }

            Assert.Contains(
                "page/page.js",
                await client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken),
                StringComparison.Ordinal
            );
        }

        first.Terminate();
        Assert.True(await first.WaitForExitAsync() == 0, first.Output);
        await second.WaitForLineAsync(line => line.Contains("Leading model", StringComparison.Ordinal));
        second.Terminate();
        Assert.True(await second.WaitForExitAsync() == 0, second.Output);
    }

    [Fact]
    public async Task Run_StandingByAtSigterm_ExitsZero()
    {
        using StreamingProcess first = Start("run");
        await ReadyAsync(first);
        using StreamingProcess second = Start("run");
        await second.WaitForLineAsync(line => line.Contains("standing by", StringComparison.Ordinal));

        second.Terminate();

        Assert.True(await second.WaitForExitAsync() == 0, second.Output);
    }

    [Fact]
    public async Task Run_BadSettings_ExitsBeforeAnythingConnectsAndNamesAll()
    {
        using var worker = StreamingProcess.Start(
            ["run"],
            new Dictionary<string, string>
            {
                ["STREAMING__Kafka__BootstrapServers"] = "no where:9",
                ["STREAMING__Redis__Configuration"] = "localhost:1,password=s3cret",
                ["STREAMING__Batching__BatchSize"] = "0",
                ["STREAMING__Model__Widths"] = "16,8",
                ["STREAMING__Training__LearningRate__Peak"] = "11",
                ["STREAMING__Redis__Partitons"] = "8",
            }
        );

        Assert.Equal(78, await worker.WaitForExitAsync());
        foreach (
            string variable in (string[])
                [
                    "STREAMING__Redis__Partitons is not a setting; did you mean STREAMING__Redis__Partitions?",
                    "STREAMING__Kafka__BootstrapServers is ",
                    "STREAMING__Batching__BatchSize is 0",
                    "STREAMING__Model__Widths is 16,8",
                    "STREAMING__Training__LearningRate__Peak is 11",
                ]
        )
        {
            Assert.Contains(variable, worker.Output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("s3cret", worker.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OtherWidthsThanTheCheckpoint_ExitsAndSaysWhatDiffers()
    {
        using (StreamingProcess worker = Start("run"))
        {
            await ReadyAsync(worker);
            worker.Terminate();
            Assert.True(await worker.WaitForExitAsync() == 0, worker.Output);
        }

        using StreamingProcess other = Start("run", ("STREAMING__Model__Widths", "4,8,32"));

        Assert.Equal((int)ExitCode.StateMismatch, await other.WaitForExitAsync());
        Assert.Contains("Widths", other.Output, StringComparison.Ordinal);
        Assert.Contains("streaming run --generation 2", other.Output, StringComparison.Ordinal);
    }

    private static async Task<Uri> AddressAsync(StreamingProcess worker)
    {
        string line =
            worker.Output.Split('\n').FirstOrDefault(line => line.Contains("Health and metrics at ", StringComparison.Ordinal))
            ?? await worker.WaitForLineAsync(line => line.Contains("Health and metrics at ", StringComparison.Ordinal));
        return new Uri(line.Split(' ')[^1]);
    }

    private static async Task ReadyAsync(StreamingProcess worker) =>
        await worker.WaitForLineAsync(line =>
            line.Contains("Assigned interactions", StringComparison.Ordinal) && line.Contains("[1]", StringComparison.Ordinal)
        );

    /// <summary>Waits until this process's metrics show that this many events have been trained on or otherwise handled.</summary>
    private static async Task ReadAllAsync(StreamingProcess worker, long count)
    {
        using var client = new HttpClient { BaseAddress = await AddressAsync(worker) };
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            string metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), limit.Token);
            long done = metrics
                .Split('\n')
                .Where(line => line.StartsWith("streaming_events_total{", StringComparison.Ordinal))
                .Sum(line => long.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture));
            if (done >= count)
            {
                Assert.Equal(count, done);
                return;
            }

            await Task.Delay(50, limit.Token);
        }
    }

    private async Task ReplayAsync(int count)
    {
        using StreamingProcess replay = Start("replay", count);
        Assert.True(await replay.WaitForExitAsync() == 0, replay.Output);
    }

    private StreamingProcess Start(string command, int count) =>
        StreamingProcess.Start([command, "--count", $"{count}", "--seed", $"{count}"], Variables());

    private StreamingProcess Start(string command, params (string Name, string Value)[] more)
    {
        Dictionary<string, string> variables = Variables();
        foreach ((string name, string value) in more)
        {
            variables[name] = value;
        }

        return StreamingProcess.Start([command], variables);
    }

    private static async Task<JsonElement> FiguresAsync(HttpClient client, string path) =>
        JsonElement.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken));

    private Dictionary<string, string> Variables() =>
        new()
        {
            ["STREAMING__Kafka__BootstrapServers"] = _broker.BootstrapServers,
            ["STREAMING__Kafka__Assignment"] = "Static",
            ["STREAMING__Redis__Configuration"] = _redis.Configuration,
            ["STREAMING__Redis__LeaseDuration"] = "3s",
            ["STREAMING__Checkpoint__Folder"] = Path.Combine(_folder, "checkpoints"),
            ["STREAMING__Model__Widths"] = "4,8,16",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__HistoryLength"] = "10",
            ["STREAMING__Model__BankCapacity"] = "512",
            ["STREAMING__Model__ItemCapacity"] = "4000",
            ["STREAMING__Batching__BatchSize"] = "64",
            ["STREAMING__Http__Port"] = "0",
        };
}
