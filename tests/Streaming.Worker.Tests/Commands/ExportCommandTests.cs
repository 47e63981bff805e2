using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Streaming.Core.Generations;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

public sealed class ExportCommandTests : IDisposable
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8, 16],
        Layers = 1,
        ItemCapacity = 64,
        HistoryLength = 5,
        BankCapacity = 16,
        FeatureGroups = [new FeatureGroup("text", 3)],
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-export-").FullName;
    private readonly CpuEngine _engine = new(Model, threads: 1);
    private readonly Trainer _trainer;

    public ExportCommandTests()
    {
        _trainer = new Trainer(_engine, new TrainerOptions { EvaluateEvery = -1 });
        var random = new Random(2);
        for (int step = 0; step < 6; step++)
        {
            _trainer.Train(Batch(random, step));
        }

        new CheckpointStore(Folder, 1, TimeProvider.System, _ => { }, new CheckpointFence(7, static () => true))
            .WriteAsync(_trainer.BeginSnapshot(), null, [], CancellationToken.None)
            .GetAwaiter()
            .GetResult();
    }

    private string Folder => Path.Combine(_folder, "checkpoints");

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void Run_EveryWidth_ComputesThePrefixOfTheWholeModel(int width)
    {
        string output = Path.Combine(_folder, "model.safetensors");
        string items = Path.Combine(_folder, "items.safetensors");
        Assert.Equal(ExitCode.Success, ExportCommand.Run(Folder, width, output, items, TextWriter.Null));

        var slice = SlicedModel.Read(File.ReadAllBytes(output));
        Assert.Equal((width, new ModelVersion(1, 7, 6)), (slice.Width, slice.Version));
        string[] ids = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Path.Combine(_folder, "items.ids.json")))!;
        Assert.Equal(_trainer.Items.Count, ids.Length);
        using var embeddings = SafetensorsReader.Open(items);
        float[] rows = new float[ids.Length * width];
        embeddings.Read(0, 0, MemoryMarshal.AsBytes(rows.AsSpan()));
        float[] whole = new float[16];
        for (int i = 0; i < ids.Length; i++)
        {
            _engine.EncodeItems([_trainer.Items.Find(Key(ids[i]))], whole);
            Near(whole.AsSpan(0, width), rows.AsSpan(i * width, width));
        }

        string[] history = ["item3", "item1", "item3"];
        int[] historyRows = [.. history.Select(id => _trainer.Items.Find(Key(id)))];
        _engine.EncodeUsers(new JaggedRows { Rows = historyRows, Offsets = [0, 3] }, whole);
        float[] vectors = [.. history.SelectMany(id => rows.AsSpan(Array.IndexOf(ids, id) * width, width).ToArray())];
        float[] user = new float[width];
        slice.CreateEncoder().Encode(vectors, user);
        Near(whole.AsSpan(0, width), user);
    }

    [Fact]
    public void Run_Manifest_SaysWhatItIs()
    {
        string output = Path.Combine(_folder, "model.safetensors");
        ExportCommand.Run(Folder, 8, output, null, TextWriter.Null);
        JsonNode manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "model.json")))!;
        Assert.Equal(SlicedModel.Format, (string?)manifest["format"]);
        Assert.Equal(8, (int)manifest["width"]!);
        Assert.Equal([4, 8], manifest["model"]!["widths"]!.AsArray().Select(static node => (int)node!));
        Assert.Equal("FmrlRec", (string?)manifest["model"]!["tower"]);
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(output))),
            (string?)manifest["sha256"]
        );
        Assert.Contains(
            manifest["tensors"]!.AsArray(),
            tensor => (string?)tensor!["name"] == "items.projection.weight" && (int)tensor["shape"]![1]! == 8
        );
        Assert.Null(manifest["items"]);
    }

    [Fact]
    public void Run_CheckpointOfThreeRanks_WritesTheFilesOfOne()
    {
        string ranked = Path.Combine(_folder, "ranked");
        RankedCheckpoint.Write(Checkpoint.Open(Assert.Single(Directory.GetDirectories(Folder))), 3, ranked);
        foreach ((string from, string name) in (Span<(string, string)>)[(Folder, "one"), (ranked, "three")])
        {
            string items = Path.Combine(_folder, name + "-items.safetensors");
            Assert.Equal(
                ExitCode.Success,
                ExportCommand.Run(from, 8, Path.Combine(_folder, name + ".safetensors"), items, TextWriter.Null)
            );
        }

        foreach (string file in (string[])[".safetensors", "-items.safetensors", "-items.ids.json"])
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "one" + file)), File.ReadAllBytes(Path.Combine(_folder, "three" + file)));
        }
    }

    [Fact]
    public void Run_WrongWidthOrNoCheckpoint_SaysWhatIsAllowed()
    {
        SettingsException width = Assert.Throws<SettingsException>(() =>
            ExportCommand.Run(Folder, 12, Path.Combine(_folder, "m.safetensors"), null, TextWriter.Null)
        );
        Assert.Contains("--width is 12; allowed: 4, 8, 16", width.Message, StringComparison.Ordinal);
        InputFileException none = Assert.Throws<InputFileException>(() =>
            ExportCommand.Run(Path.Combine(_folder, "nowhere"), 8, Path.Combine(_folder, "m.safetensors"), null, TextWriter.Null)
        );
        Assert.Equal(ExitCode.NoInput, Failure.Explain(none).Code);
        Assert.False(File.Exists(Path.Combine(_folder, "m.safetensors")));
    }

    private static ulong Key(string id) => XxHash64.Hash(Encoding.UTF8.GetBytes(id));

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-6f);
        }
    }

    private static Batch Batch(Random random, long sequence)
    {
        var batch = new Batch(8, Model.HistoryLength) { Sequence = sequence };
        for (int i = 0; sequence == 0 && i < 10; i++)
        {
            batch.ItemChanges.Add(
                new ItemChange
                {
                    ItemKey = Key($"item{i}"),
                    ItemId = $"item{i}",
                    Features = new Dictionary<string, float[]> { ["text"] = [random.NextSingle(), 1, -1] },
                }
            );
        }

        for (int i = 0; i < 8; i++)
        {
            byte[] id = Encoding.UTF8.GetBytes($"item{random.Next(10)}");
            batch.ItemKeys[i] = XxHash64.Hash(id);
            batch.Weights[i] = 1;
            batch.EventTimes[i] = batch.ProducedTimes[i] = 1_000 + sequence;
            id.CopyTo(batch.ItemIdBytes, batch.ItemIdOffsets[i]);
            batch.ItemIdOffsets[i + 1] = batch.ItemIdOffsets[i] + id.Length;
            batch.HistoryItems[batch.HistoryOffsets[i]] = Key($"item{random.Next(10)}");
            batch.HistoryOffsets[i + 1] = batch.HistoryOffsets[i] + 1;
            batch.Count++;
        }

        return batch;
    }
}
