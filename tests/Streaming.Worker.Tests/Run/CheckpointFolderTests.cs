using Streaming.Learning.Checkpoints;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Run;

/// <summary>A folder that cannot be written to, cannot be read, or holds another model's state ends the worker before it takes anything
/// over; and one that fails at the end is not a success.</summary>
public sealed class CheckpointFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("folder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task CannotBeWritten_IsRefusedBeforeAnythingStarts()
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "not a folder", TestContext.Current.CancellationToken);
        using var worker = StreamingProcess.Start(
            ["run"],
            new Dictionary<string, string>
            {
                ["STREAMING__Checkpoint__Folder"] = Path.Combine(file, "checkpoints"),
                ["STREAMING__Http__Port"] = "-1",
            }
        );

        Assert.True(await worker.WaitForExitAsync() == 78, worker.Output);
        Assert.Contains(
            $"STREAMING__Checkpoint__Folder is '{file}/checkpoints', which cannot be written to",
            worker.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("   at ", worker.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HoldsAnotherModel_IsRefusedAndNamesBoth()
    {
        await using FaultBench bench = await LearnedAsync();
        bench.Settings["STREAMING__Redis__Model"] = "films";
        bench.Settings["STREAMING__Kafka__InteractionsTopic"] = "watched";
        await using RunningWorker worker = bench.StartWorker();

        Assert.Equal(ExitCode.StateMismatch, await worker.EndAsync());
        Assert.Contains(
            "belongs to model 'faults', topic 'interactions', 256 partitions in Redis; this worker has model 'films', topic 'watched', "
                + "256 partitions",
            worker.Message,
            StringComparison.Ordinal
        );
        Assert.False(worker.Log.Has("Leading model"), worker.Log.Text);
    }

    [Fact]
    public async Task AnotherModelTakesTheFolderMeanwhile_ItsCheckpointsAreLeftAloneAndTheEndIsNoSuccess()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(_ => Newest(bench) is not null, "a checkpoint");
        var other = new Dictionary<string, string>(bench.Settings, StringComparer.Ordinal) { ["STREAMING__Redis__Model"] = "films" };
        string folder = bench.Checkpoints;
        bench.Settings["STREAMING__Checkpoint__Folder"] = Path.Combine(_folder, "films");
        bench.Settings["STREAMING__Redis__Model"] = other["STREAMING__Redis__Model"];
        await using (RunningWorker films = bench.StartWorker())
        {
            await films.UntilAsync(_ => Newest(bench) is not null, "a checkpoint of the other model");
            Assert.Equal(ExitCode.Success, await films.TerminateAsync());
        }

        string theirs = Newest(bench)!;
        string moved = Path.Combine(folder, Path.GetFileName(theirs).Replace("checkpoint-1", "checkpoint-3", StringComparison.Ordinal));
        Directory.Move(theirs, moved);

        Assert.Equal(ExitCode.StateMismatch, await worker.EndAsync());
        Assert.Contains("belongs to model 'films'", worker.Message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(moved));
    }

    [Theory]
    [InlineData("SHA256SUMS")]
    [InlineData("")]
    public async Task CannotBeRead_IsNotNone(string name)
    {
        await using FaultBench bench = await LearnedAsync();
        string newest = Newest(bench)!;
        string broken = Path.Combine(newest, name.Length > 0 ? name : "manifest.json");

        // Of another kind than a file that may be opened: root reads whatever its mode is.
        File.Delete(broken);
        File.CreateSymbolicLink(broken, broken);
        string[] before = Directory.GetDirectories(bench.Checkpoints);
        await using RunningWorker worker = bench.StartWorker();

        Assert.Equal(ExitCode.NoInput, await worker.EndAsync());
        Assert.Contains($"Checkpoint '{newest}' cannot be read", worker.Message, StringComparison.Ordinal);
        Assert.Equal(before.Order(), Directory.GetDirectories(bench.Checkpoints).Order());
    }

    [Fact]
    public async Task EveryOneIsDamaged_NoModelBeginsInItsPlace()
    {
        await using FaultBench bench = await LearnedAsync();
        string[] all = Directory.GetDirectories(bench.Checkpoints);
        foreach (string path in all)
        {
            await File.WriteAllTextAsync(Path.Combine(path, "model.safetensors"), "torn", TestContext.Current.CancellationToken);
        }

        await using RunningWorker worker = bench.StartWorker();

        Assert.Equal(ExitCode.BadInput, await worker.EndAsync());
        Assert.Contains($"No checkpoint in '{bench.Checkpoints}' can be used", worker.Message, StringComparison.Ordinal);
        Assert.Equal(all.Order(), Directory.GetDirectories(bench.Checkpoints).Order());
    }

    [Fact]
    public async Task LastCheckpointFails_EndIsNotSuccess()
    {
        await using FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(_ => Newest(bench) is not null, "a checkpoint");
        await bench.BreakAsync(Fault.CheckpointFolderGone);

        Assert.Equal(ExitCode.NotKept, await worker.TerminateAsync());
        Assert.Contains($"cannot write the final checkpoint to '{bench.Checkpoints}'", worker.Message, StringComparison.Ordinal);
        await bench.HealAsync(Fault.CheckpointFolderGone);
    }

    private static async Task<FaultBench> LearnedAsync()
    {
        FaultBench bench = await FaultBench.StartAsync();
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(_ => Newest(bench) is not null, "a checkpoint");
        Assert.Equal(ExitCode.Success, await worker.TerminateAsync());
        return bench;
    }

    private static string? Newest(FaultBench bench)
    {
        WorkerOptions settings = bench.Values;
        return new CheckpointStore(settings.Checkpoint.Folder, 3, TimeProvider.System, static _ => { }).List() is [var newest, ..]
            ? newest
            : null;
    }
}
