using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Learning.Checkpoints;
using Streaming.Models.Slices;
using Streaming.Serving;
using Streaming.Serving.Towers;
using Streaming.Transport.Redis.Generations;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Generations;

/// <summary>A second generation alongside the first, with a real server and a steady stream.</summary>
public sealed class GenerationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ChangedWidths_NewGenerationBesideTheOld_ReadersMoveWhenItIsFitAndBack()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        bench.Settings["STREAMING__Generation__MinExamples"] = "300";
        bench.Settings["STREAMING__Generation__Tolerance"] = "0.5";
        bench.Settings["STREAMING__Redis__TowerInterval"] = "1s";
        await using RunningWorker old = bench.StartWorker();
        var store = new CheckpointStore(bench.Checkpoints, 100, TimeProvider.System, static _ => { });

        // The first checkpoint may come before a partition's first record.
        await old.UntilAsync(
            w =>
                w.Status.Counts.Trained > 2_000
                && store.FindNewest()?.Manifest.Positions is { Count: > 1 } positions
                && positions.All(p => p.NextOffset > 0),
            "the first generation has a checkpoint"
        );
        using ConnectionMultiplexer redis = await bench.ConnectAsync();
        IDatabase database = redis.GetDatabase();
        var towers = new UserTowerReader(
            database,
            new ServingOptions { Model = "faults", PointerLifetime = TimeSpan.Zero },
            TimeProvider.System
        );

        bench.Settings["STREAMING__Model__Widths"] = "8,16,24";
        await using var next = new RunningWorker(bench.Values, new RunRequest(2, null));
        await next.UntilAsync(
            w => w.Log.Text.Contains("Switched readers from generation 1 to 2", StringComparison.Ordinal),
            "readers are switched"
        );
        Assert.Contains("adopted: ", next.Log.Text, StringComparison.Ordinal);
        Assert.Matches("reading from [1-9]", next.Log.Text); // the position of the old one's checkpoint
        Assert.DoesNotContain("reading from 0", next.Log.Text, StringComparison.Ordinal);
        SlicedModel tower = (await towers.ReadAsync(24, Stop))!;
        Assert.Equal((2u, 24), (tower.Version.Generation, tower.Width));

        // The old one continues, with its own lease and fences.
        var generations = new GenerationSwitch(database, bench.Values.Redis, [8, 16], TimeProvider.System);
        (int before, int now) = (
            (await generations.ListAsync(1, TestContext.Current.CancellationToken)).Count,
            (await generations.ListAsync(2, TestContext.Current.CancellationToken)).Count
        );
        Assert.True(before > 50 && now > 50, $"{before} and {now} items"); // the switch checks how close they are: Objection_…

        var admin = new GenerationAdmin(database, bench.Values.Redis, bench.Values.Model.Widths, bench.Values.Generation);
        using var output = new StringWriter();
        Assert.Equal(ExitCode.Success, await admin.RollbackAsync(output));
        Assert.Contains("readers moved from generation 2 to 1", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(1u, (await towers.ReadAsync(16, Stop))!.Version.Generation);

        // A restart does not switch readers a second time.
        Assert.Equal(ExitCode.Success, await next.TerminateAsync());
        await using var again = new RunningWorker(bench.Values, new RunRequest(2, null));
        await again.UntilAsync(
            w => w.Log.Text.Contains("Resuming from checkpoint", StringComparison.Ordinal) && w.Status.Counts.Trained > 0,
            "it resumes"
        );
        await Task.Delay(2_500, Stop);
        Assert.Equal("1", (string?)await database.StringGetAsync("e:faults:active"));

        Assert.Equal(ExitCode.Success, await admin.SwitchAsync(2, force: true, output));
        Assert.Equal(ExitCode.Success, await again.TerminateAsync());
        Assert.Equal(ExitCode.Success, await old.TerminateAsync());
        Assert.Equal(ExitCode.Success, await admin.RetireAsync(1, "1s", output));
        await Task.Delay(1_500, Stop);
        Assert.Empty((await generations.ListAsync(1, TestContext.Current.CancellationToken)));

        // A plain run trains the generation that readers use, with the settings that match it.
        await using var plain = new RunningWorker(bench.Values);
        await plain.UntilAsync(
            w =>
                w.Log.Text.Contains("Training generation 2; readers use 2", StringComparison.Ordinal)
                && w.Log.Text.Contains("Resuming from checkpoint", StringComparison.Ordinal),
            "it trains generation 2"
        );
    }

    [Fact]
    public async Task ChangedWidths_PlainRun_Exits73AndNamesTheCommand()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using (RunningWorker old = bench.StartWorker())
        {
            await old.UntilAsync(w => w.Status.Counts.Trained > 100, "it learns");
            Assert.Equal(ExitCode.Success, await old.TerminateAsync());
        }

        bench.Settings["STREAMING__Model__Widths"] = "8,24";
        await using RunningWorker other = bench.StartWorker();
        Assert.Equal(ExitCode.StateMismatch, await other.EndAsync());
        Assert.Contains("Model.Widths is 8,24, the checkpoint has 8,16", other.Message, StringComparison.Ordinal);
        Assert.Contains("streaming run --generation 2", other.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0u, "1 … 2")]
    [InlineData(5u, "1 … 2")]
    [InlineData(2u, "has none")]
    public void Plan_GenerationThatCannotBegin_SaysWhatIsAllowed(uint generation, string words)
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        SettingsException refused = Assert.Throws<SettingsException>(() => RunPlan.Of(new RunRequest(generation, null), active: 1, folder));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Objection_EachCheck_NamesItsNumbers()
    {
        var old = new GenerationRecord
        {
            Generation = 1,
            Items = 100,
            Recall = 0.2,
            Examples = 5_000,
            Widths = [8],
        };
        GenerationRecord next = old with { Generation = 2, Recall = 0.195 };
        var all = new GenerationCheck(100, 100);
        var options = new GenerationOptions();
        Assert.Empty(GenerationChecks.Objection(next, old, all, options));
        Assert.Contains("99 of its 100 items", GenerationChecks.Objection(next, old, new(100, 99), options), StringComparison.Ordinal);
        Assert.Contains(
            "it has 90 items, generation 1 has 100",
            GenerationChecks.Objection(next with { Items = 90 }, old, all, options),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is 0.1800; generation 1 has 0.2000",
            GenerationChecks.Objection(next with { Recall = 0.18 }, old, all, options),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "over 400 events",
            GenerationChecks.Objection(next with { Examples = 400 }, old, all, options),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "was not measured",
            GenerationChecks.Objection(next, old with { Examples = 0 }, all, options),
            StringComparison.Ordinal
        );
        Assert.Contains("generation in use has no record", GenerationChecks.Objection(next, null, all, options), StringComparison.Ordinal);
    }
}
