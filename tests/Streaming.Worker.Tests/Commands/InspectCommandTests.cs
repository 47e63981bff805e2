using System.Text;
using System.Text.Json.Nodes;
using Streaming.Core.Dedup;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

public sealed class InspectCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-inspect-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_WholeCheckpoint_SaysWhatItHolds()
    {
        string checkpoint = await WriteAsync();
        (ExitCode code, JsonNode report) = Inspect(_folder);
        Assert.Equal(ExitCode.Success, code);
        JsonNode only = Assert.Single(report.AsArray())!;
        Assert.True((bool)only["verified"]!);
        Assert.Equal(checkpoint, (string?)only["folderPath"]);
        Assert.Equal(7, (long)only["manifest"]!["token"]!);
        Assert.Equal(0, (long)only["number"]!);
        Assert.Equal(42, (long)only["manifest"]!["positions"]![0]!["nextOffset"]!);
        Assert.Equal("4,8", (string?)only["manifest"]!["shape"]!["Model.Widths"]);
        Assert.Equal(2, (long)only["items"]!);
        Assert.Equal(0, (long)only["bankEntries"]!);
        Assert.Equal(3, (long)only["ingest"]!["users"]!);
        Assert.Equal(4, (long)only["ingest"]!["historyItems"]!);
        Assert.Equal(2, (long)only["ingest"]!["eventIds"]!);
        Assert.Contains(
            only["tensors"]!.AsArray(),
            tensor => (string?)tensor!["name"] == "items.embedding" && (long)tensor["shape"]![1]! == 8
        );
    }

    [Fact]
    public async Task Run_CheckpointOfTwoRanks_SaysWhatBothHold()
    {
        (_, JsonNode of) = Inspect(await WriteAsync());
        string ranked = Path.Combine(_folder, "ranked");
        RankedCheckpoint.Write(Checkpoint.Open(Assert.Single(Directory.GetDirectories(_folder))), 2, ranked);
        (ExitCode code, JsonNode report) = Inspect(ranked);
        Assert.Equal(ExitCode.Success, code);
        (JsonNode one, JsonNode two) = (of[0]!, report[0]!);
        Assert.True((bool)two["verified"]!);
        Assert.Equal((1, 2), ((int)one["manifest"]!["ranks"]!, (int)two["manifest"]!["ranks"]!));
        Assert.Equal(6, two["files"]!.AsArray().Count);
        foreach (string same in (string[])["items", "bankEntries", "tensors", "fingerprint"])
        {
            Assert.Equal(one[same]!.ToJsonString(), two[same]!.ToJsonString());
        }

        // User 2 is of partition 1; the partition of the others is unknown, so both ranks have them.
        Assert.Equal((3, 2), ((long)one["ingest"]!["users"]!, (long)one["ingest"]!["unknownPartitions"]!));
        Assert.Equal((5, 4), ((long)two["ingest"]!["users"]!, (long)two["ingest"]!["unknownPartitions"]!));
        Assert.Equal(42, (long)two["manifest"]!["positions"]![0]!["nextOffset"]!);

        using var output = new StringWriter();
        Assert.Equal(ExitCode.Success, InspectCommand.Run(ranked, json: false, output));
        Assert.Matches("ranks +2\n", output.ToString());
        Assert.Contains("5 users, 7 items, partition unknown of 4 users", output.ToString(), StringComparison.Ordinal);
        File.Delete(Path.Combine(Assert.Single(Directory.GetDirectories(ranked)), "ingest-1.bin"));
        Assert.Equal(ExitCode.BadInput, InspectCommand.Run(ranked, json: false, output));
        Assert.Contains("ingest-1.bin' is missing", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("trainer.safetensors")]
    [InlineData("ingest.bin")]
    [InlineData("manifest.json")]
    public async Task Run_FlippedByte_NamesTheFile(string name)
    {
        string file = Path.Combine(await WriteAsync(), name);
        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);

        bytes[name == "manifest.json" ? 1 : ^1] ^= 0x2A;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        (ExitCode code, JsonNode report) = Inspect(Path.GetDirectoryName(file)!);
        Assert.Equal(ExitCode.BadInput, code);
        Assert.False((bool)report[0]!["verified"]!);
        Assert.Contains(
            name,
            (string?)report[0]!["problem"] + string.Concat(report[0]!["files"]!.AsArray().Select(entry => (string?)entry!["problem"])),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Run_ForPeople_PrintsVerifiedAndThePositions()
    {
        await WriteAsync();
        using var output = new StringWriter();
        Assert.Equal(ExitCode.Success, InspectCommand.Run(_folder, json: false, output));
        Assert.Contains("interactions/0: 42", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("verified", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("DAMAGED", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SafetensorsFile_ListsItsTensors()
    {
        string file = Path.Combine(await WriteAsync(), "trainer.safetensors");
        (ExitCode code, JsonNode report) = Inspect(file);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains(report["tensors"]!.AsArray(), tensor => (string?)tensor!["name"] == "items.keys");
        await File.WriteAllTextAsync(file, "no tensors", TestContext.Current.CancellationToken);
        Assert.Throws<InputFileException>(() => Inspect(file));
    }

    [Fact]
    public void Run_NothingThere_IsNoInput() =>
        Assert.Equal(ExitCode.NoInput, InspectCommand.Run(Path.Combine(_folder, "nowhere"), json: true, TextWriter.Null));

    private static (ExitCode Code, JsonNode Report) Inspect(string path)
    {
        using var output = new StringWriter();
        ExitCode code = InspectCommand.Run(path, json: true, output);
        return (code, JsonNode.Parse(output.ToString())!);
    }

    private async Task<string> WriteAsync()
    {
        var model = new ModelOptions
        {
            Widths = [4, 8],
            Layers = 1,
            ItemCapacity = 64,
            HistoryLength = 4,
            BankCapacity = 16,
        };
        using var engine = new CpuEngine(model, threads: 1);
        using var trainer = new Trainer(engine, new TrainerOptions { EvaluateEvery = -1 });
        var batch = new Batch(4, 4);
        foreach (string id in (string[])["a", "b"])
        {
            batch.ItemChanges.Add(new ItemChange { ItemKey = XxHash64.Hash(Encoding.UTF8.GetBytes(id)), ItemId = id });
        }

        trainer.Train(batch);
        var ingest = new IngestState(new HistoryOptions { Length = 4, MaxUsers = 10 }, new DedupOptions { Capacity = 10 });
        foreach (ulong user in (ulong[])[1, 2, 3, 1])
        {
            ingest.Histories.Append(user, 5, 1_000, 0, new ulong[4], user == 2 ? 1 : HistoryStore.UnknownPartition);
        }

        ingest.Dedup.TryAdd(1, 1_000);
        ingest.Dedup.TryAdd(2, 1_000);
        var store = new CheckpointStore(_folder, 3, TimeProvider.System, _ => { }, new CheckpointFence(7, static () => true));
        return (
            await store.WriteAsync(
                trainer.BeginSnapshot(),
                ingest.Share(),
                [new("interactions", 0, 42)],
                TestContext.Current.CancellationToken
            )
        ).FolderPath;
    }
}
