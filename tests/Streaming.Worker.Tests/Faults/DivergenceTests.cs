using StackExchange.Redis;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>NaN losses from a planted step on.</summary>
public sealed class DivergenceTests
{
    [Fact]
    public async Task DivergesAgainAndAgain_ReturnsOnceThenStopsWithItsCodeAndKeepsTheGoodCheckpoint()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        string good = await MakeCheckpointAsync(bench);
        bench.Settings["STREAMING__Training__MaxNonFiniteSteps"] = "3";
        bench.Settings["STREAMING__Checkpoint__Interval"] = "1h";
        await using RunningWorker diverging = bench.StartWorker(() => new PlantedEngine(Model(bench), static step => step < 5));
        ExitCode code = await diverging.EndAsync();

        Assert.True(code == ExitCode.Diverged, $"{code}\n{diverging.Log.Text}");
        Assert.Equal(1, diverging.Log.Count("restoring the last checkpoint (once)"));
        Assert.Equal(2, diverging.Log.Count("Resuming from checkpoint"));
        Assert.Equal(4, diverging.Log.Count("was not applied")); // the third ends each run
        Assert.Equal(good, Newest(bench));
    }

    /// <summary>A temporary fault: the second run resumes from the checkpoint and reads again what the first had read after it; each
    /// event counts once in the surviving state. What the first run published is replaced, even where its steps were greater.</summary>
    [Fact]
    public async Task DivergesOnce_ReturnsToTheCheckpointAndEveryEventCountsOnce()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await MakeCheckpointAsync(bench);
        bench.Settings["STREAMING__Training__MaxNonFiniteSteps"] = "3";
        bench.Settings["STREAMING__Checkpoint__Interval"] = "1h";
        int lives = 0;
        Func<TrainingEngine> engines = () =>
        {
            bool isFirst = lives++ == 0;
            return new PlantedEngine(Model(bench), step => !isFirst || step < 40);
        };
        await using RunningWorker worker = bench.StartWorker(engines);
        await worker.UntilAsync(w => w.Log.Has("Leading model"), "the first run leads");
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        uint first = await TokenAsync(redis);
        await worker.UntilAsync(w => w.Log.Count("Resuming from checkpoint") == 2, "the second run resumes");

        await bench.FinishAsync(worker);
        Assert.True(await TokenAsync(redis) > first, "the second life has a token of its own");
        Assert.All(await bench.ReadAsync(redis, bench.Stream.Expected), read => Assert.True(read.Stamp.Token > first));
    }

    private static ModelOptions Model(FaultBench bench) => bench.Values.Model;

    private static async Task<string> MakeCheckpointAsync(FaultBench bench)
    {
        await using RunningWorker good = bench.StartWorker();
        await good.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");
        Assert.Equal(ExitCode.Success, await good.TerminateAsync());
        return Newest(bench);
    }

    private static string Newest(FaultBench bench) =>
        new CheckpointStore(bench.Checkpoints, 3, TimeProvider.System, warning => Assert.Fail(warning)).FindNewest()!.FolderPath;

    private static async Task<uint> TokenAsync(ConnectionMultiplexer redis) =>
        (uint)(long)await redis.GetDatabase().StringGetAsync(new Core.Embeddings.RedisKeys("faults", 256).LeaseToken());
}
