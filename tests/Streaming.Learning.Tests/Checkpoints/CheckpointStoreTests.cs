using System.Text;
using System.Text.Json.Nodes;
using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Replay;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Tests;
using Xunit;

namespace Streaming.Learning.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = 64,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 16,
    };
    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Capacity = 32 },
        EvaluateEvery = -1,
        LearningRate = new LearningRateOptions { Peak = 0.1f },
    };
    private static readonly StreamPosition[] Positions = [new("interactions", 0, 123), new("interactions", 1, 45), new("items", 0, 7)];
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "streaming-checkpoints-" + Path.GetRandomFileName());
    private readonly List<string> _warnings = [];
    private readonly FakeEngine _engine = new(Model);
    private readonly Trainer _trainer;
    private long _sequence;

    public CheckpointStoreTests() => _trainer = new Trainer(_engine, Options);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Fact]
    public async Task FindNewest_AfterAWrite_RestoresEverything()
    {
        CheckpointStore store = Store();
        CheckpointWritten written = await Write(store, "the ingestion's own bytes");
        Checkpoint checkpoint = store.FindNewest()!;
        Assert.Equal(written.FolderPath, checkpoint.FolderPath);
        Assert.Equal(Positions, checkpoint.Manifest.Positions);
        Assert.Equal(_trainer.Counters, checkpoint.Manifest.Counters);
        Assert.Equal(_trainer.Sequence, checkpoint.Manifest.Sequence);
        using (var reader = new StreamReader(checkpoint.OpenIngestOf(0)))
        {
            Assert.Equal("the ingestion's own bytes", await reader.ReadToEndAsync(Cancellation));
        }

        using var engine = new FakeEngine(Model);
        using var restored = new Trainer(engine, Options);
        checkpoint.RestoreTo(restored);
        Assert.Equal(_engine.StateBytes(), engine.StateBytes());
        Assert.Equal(TrainerTests.StateBytes(_trainer), TrainerTests.StateBytes(restored));
        Assert.Equal(written.Bytes, Directory.EnumerateFiles(written.FolderPath).Sum(file => new FileInfo(file).Length));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task Write_WithoutIngest_OpensNone()
    {
        await Write(Store(), ingest: null);
        Assert.Null(Store().FindNewest()!.ReadIngest(new HistoryOptions(), new DedupOptions()));
    }

    [Fact]
    public void FindNewest_NoFolder_IsNull() => Assert.Null(Store().FindNewest());

    [Fact]
    public async Task Write_MoreThanKept_DeletesTheOldest()
    {
        CheckpointStore store = Store(keep: 2);
        for (int i = 0; i < 5; i++)
        {
            await Write(store);
        }

        Assert.Equal(["checkpoint-00000004", "checkpoint-00000003"], store.List().Select(Path.GetFileName));
        Assert.Equal(2, Directory.GetFileSystemEntries(_directory).Length);
    }

    [Fact]
    public async Task Write_TrainingContinues_HoldsTheStateOfTheSnapshot()
    {
        Train();
        byte[] expected = _engine.StateBytes();
        TrainerSnapshot snapshot = _trainer.BeginSnapshot();
        Train();
        await Store().WriteAsync(snapshot, null, Positions, Cancellation);
        using var engine = new FakeEngine(Model);
        using var restored = new Trainer(engine, Options);
        Store().FindNewest()!.RestoreTo(restored);
        Assert.Equal(expected, engine.StateBytes());
        Assert.NotEqual(expected, _engine.StateBytes());
    }

    [Fact]
    public async Task Write_PositionsChangeMeanwhile_HoldsThoseOfTheCall()
    {
        Train();
        List<StreamPosition> positions = [.. Positions];
        Task<CheckpointWritten> writing = Store().WriteAsync(_trainer.BeginSnapshot(), null, positions, Cancellation);
        positions.Clear();
        await writing;
        Assert.Equal(Positions, Store().FindNewest()!.Manifest.Positions);
    }

    public static TheoryData<string> Files => ["model.safetensors", "trainer.safetensors", "ingest.bin", "manifest.json", "SHA256SUMS"];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task FindNewest_FileTorn_FallsBackAndNamesIt(string file)
    {
        CheckpointStore store = Store();
        CheckpointWritten good = await Write(store, "x");
        CheckpointWritten torn = await Write(store, "x");
        string path = Path.Combine(torn.FolderPath, file);
        byte[] bytes = await File.ReadAllBytesAsync(path, Cancellation);
        await File.WriteAllBytesAsync(path, bytes[..(bytes.Length / 2)], Cancellation);
        Assert.Equal(good.FolderPath, store.FindNewest()!.FolderPath);
        Assert.Contains(torn.FolderPath, Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task FindNewest_OneBitWrong_FallsBackAndNamesIt(string file)
    {
        CheckpointStore store = Store();
        CheckpointWritten good = await Write(store, "x");
        CheckpointWritten corrupt = await Write(store, "x");
        string path = Path.Combine(corrupt.FolderPath, file);
        byte[] bytes = await File.ReadAllBytesAsync(path, Cancellation);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Cancellation);
        Assert.Equal(good.FolderPath, store.FindNewest()!.FolderPath);
        Assert.Contains(corrupt.FolderPath, Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task FindNewest_FileMissing_FallsBackAndNamesIt(string file)
    {
        CheckpointStore store = Store();
        CheckpointWritten good = await Write(store, "x");
        CheckpointWritten torn = await Write(store, "x");
        File.Delete(Path.Combine(torn.FolderPath, file));
        Assert.Equal(good.FolderPath, store.FindNewest()!.FolderPath);
        Assert.Contains(torn.FolderPath, Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindNewest_AllCorrupt_ThrowsAndWarnsOfEach()
    {
        CheckpointStore store = Store();
        await Write(store);
        await Write(store);
        foreach (string path in store.List())
        {
            File.Delete(Path.Combine(path, "manifest.json"));
        }

        DamagedCheckpointsException exception = Assert.Throws<DamagedCheckpointsException>(() => store.FindNewest());
        Assert.Contains("manifest.json' is missing", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, _warnings.Count);
        Assert.Equal(2, store.List().Count);
    }

    [Fact]
    public async Task Write_AfterACorruptOne_IsNewestAndGoodOnesAreKept()
    {
        CheckpointStore store = Store(keep: 2);
        await Write(store);
        CheckpointWritten corrupt = await Write(store);
        File.Delete(Path.Combine(corrupt.FolderPath, "manifest.json"));
        CheckpointWritten newest = await Write(store);
        Assert.Equal(newest.FolderPath, store.FindNewest()!.FolderPath);
    }

    [Fact]
    public async Task FindNewest_NewerFormat_IsRefusedNotSkipped()
    {
        CheckpointStore store = Store();
        await Write(store);
        CheckpointWritten newer = await Write(store);
        await Resign(newer.FolderPath, manifest => manifest["format"] = 3);
        StateMismatchException error = Assert.Throws<StateMismatchException>(store.FindNewest);
        Assert.Contains("has format version 3; this program reads versions up to 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RestoreTo_OtherShape_NamesEveryDifferenceAndWhatToDo()
    {
        CheckpointWritten written = await Write(Store());
        using var engine = new FakeEngine(Model with { Widths = [4, 16], BankCapacity = 32 });
        using var other = new Trainer(engine, Options);
        StateMismatchException error = Assert.Throws<StateMismatchException>(() => Store().FindNewest()!.RestoreTo(other));
        Assert.Equal(
            $"Checkpoint '{written.FolderPath}' does not match the settings: Model.BankCapacity is 32, the checkpoint has 16; "
                + "Model.Widths is 4,16, the checkpoint has 4,8. "
                + "Use the checkpoint's values, or start a new generation from it.",
            error.Message
        );
    }

    [Fact]
    public async Task Write_LeftoversOfACrash_AreClearedAndNeverRead()
    {
        CheckpointStore store = Store();
        CheckpointWritten good = await Write(store);
        string torn = Path.Combine(_directory, ".tmp-checkpoint-00000001-0123");
        string deleting = Path.Combine(_directory, ".deleting-checkpoint-00000000");
        Directory.CreateDirectory(torn);
        Directory.CreateDirectory(deleting);
        Assert.Equal(good.FolderPath, store.FindNewest()!.FolderPath);
        Assert.Empty(_warnings);
        await Write(store);
        Assert.False(Directory.Exists(torn));
        Assert.False(Directory.Exists(deleting));
    }

    [Fact]
    public async Task Write_Fails_KeepsTheOldOnesAndEndsTheSnapshots()
    {
        CheckpointStore store = Store();
        CheckpointWritten good = await Write(store);
        Train();
        var ingest = new FailingIngest();
        IOException error = await Assert.ThrowsAsync<IOException>(() =>
            store.WriteAsync(_trainer.BeginSnapshot(), ingest, Positions, Cancellation)
        );
        Assert.Equal("No space left on device", error.Message);
        Assert.True(ingest.Disposed);
        Assert.Equal([good.FolderPath], Directory.GetFileSystemEntries(_directory));
        Assert.Equal(good.FolderPath, store.FindNewest()!.FolderPath);

        // The next one succeeds: the previous snapshot has ended.
        await Write(store);
    }

    [Fact]
    public async Task Write_Cancelled_LeavesNothingBehindAndEndsTheSnapshots()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Train();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store().WriteAsync(_trainer.BeginSnapshot(), null, Positions, cancelled.Token)
        );
        Assert.Empty(Directory.GetFileSystemEntries(_directory));
        _trainer.BeginSnapshot().Dispose();
    }

    [Fact]
    public async Task Checksums_AreReadableBySha256sum()
    {
        CheckpointWritten written = await Write(Store(), "x");
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(written.FolderPath, "SHA256SUMS"), Cancellation);
        Assert.Equal(["model.safetensors", "trainer.safetensors", "ingest.bin", "manifest.json"], lines.Select(line => line[66..]));
        Assert.All(lines, line => Assert.Matches("^[0-9a-f]{64}  [a-z.]+$", line));
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    public async Task Open_ChecksumOfAFileElsewhere_IsRefused(string name)
    {
        CheckpointWritten written = await Write(Store());
        await File.AppendAllTextAsync(
            Path.Combine(written.FolderPath, "SHA256SUMS"),
            new string('0', 64) + "  " + name + "\n",
            Cancellation
        );
        Assert.Throws<InvalidDataException>(() => Checkpoint.Open(written.FolderPath));
    }

    /// <summary>Whatever a manifest or state with a correct checksum contains, the reader rejects or reads it.</summary>
    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public async Task Open_MutatedButSigned_RefusesOrReads()
    {
        CheckpointWritten written = await Write(Store());
        string[] files = ["manifest.json", "trainer.safetensors", "model.safetensors"];
        byte[][] originals = [.. files.Select(file => File.ReadAllBytes(Path.Combine(written.FolderPath, file)))];
        (int cases, int accepted) = Fuzz.Run(
            1,
            250,
            16 << 20,
            random =>
            {
                int file = random.Next(3);
                byte[] bytes = [.. originals[file]];
                for (int change = 0; change < 3; change++)
                {
                    // Mostly in the first kilobytes: the header and the table counts.
                    bytes[random.Next(random.Next(2) == 0 ? Math.Min(bytes.Length, 4_096) : bytes.Length)] = (byte)random.Next(256);
                }

                Sign(written.FolderPath, files[file], bytes);
                using var engine = new FakeEngine(Model);
                using var restored = new Trainer(engine, Options);
                try
                {
                    Checkpoint.Open(written.FolderPath).RestoreTo(restored);
                    return true;
                }
                catch (Exception exception) when (exception is InvalidDataException or StateMismatchException)
                {
                    return false;
                }
                finally
                {
                    Sign(written.FolderPath, files[file], originals[file]);
                }
            }
        );
        Assert.InRange(accepted, 1, cases * 14 / 15);
    }

    private static void Sign(string folder, string file, byte[] bytes)
    {
        File.WriteAllBytes(Path.Combine(folder, file), bytes);
        string sums = Path.Combine(folder, "SHA256SUMS");
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        File.WriteAllLines(
            sums,
            File.ReadAllLines(sums).Select(line => line.EndsWith("  " + file, StringComparison.Ordinal) ? hash + "  " + file : line)
        );
    }

    private static async Task Resign(string folder, Action<JsonNode> change)
    {
        JsonNode manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json"), Cancellation))!;
        change(manifest);
        Sign(folder, "manifest.json", Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    /// <summary>A trainer that was frozen and replaced without knowing it: its writes never become the newest.</summary>
    [Fact]
    public async Task Write_SupersededByAGreaterToken_IsRefusedAndNothingIsTouched()
    {
        CheckpointStore old = Store(token: 7),
            next = Store(token: 9);
        await Write(old);
        CheckpointWritten newest = await Write(next);
        string unfinished = Path.Combine(_directory, ".tmp-checkpoint-0000000009-00000002-0123");
        Directory.CreateDirectory(unfinished);
        string[] before = Directory.GetFileSystemEntries(_directory);

        await Assert.ThrowsAsync<SupersededException>(() => Write(old));
        Assert.Equal(before, Directory.GetFileSystemEntries(_directory));
        Assert.Equal(newest.FolderPath, next.FindNewest()!.FolderPath);
        Assert.Equal(9u, next.FindNewest()!.Manifest.Token);
        Assert.Equal(9u, old.NewestToken);
    }

    [Fact]
    public async Task Write_LeaseLostWhileWriting_KeepsNothing()
    {
        int asked = 0;
        var store = new CheckpointStore(_directory, 3, TimeProvider.System, _warnings.Add, new CheckpointFence(7, () => ++asked == 1));
        await Assert.ThrowsAsync<SupersededException>(() => Write(store));
        Assert.Equal(2, asked);
        Assert.Empty(Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public async Task FindNewest_TokensDiffer_GoesByTokenBeforeNumber()
    {
        CheckpointWritten late = await Write(Store(token: 7));
        CheckpointWritten first = await Write(Store(token: 9));

        // As if the old one froze between its last check and the rename.
        Directory.Move(late.FolderPath, Path.Combine(_directory, "checkpoint-0000000007-00000005"));
        Assert.Equal(first.FolderPath, Store().FindNewest()!.FolderPath);
        Assert.Equal("checkpoint-0000000009-00000006", Path.GetFileName((await Write(Store(token: 9))).FolderPath));
    }

    private CheckpointStore Store(uint token) =>
        new(_directory, 3, TimeProvider.System, _warnings.Add, new CheckpointFence(token, static () => true));

    private CheckpointStore Store(int keep = 3) => new(_directory, keep, TimeProvider.System, _warnings.Add);

    private void Train() => _trainer.Train(Batches.Random(new Random((int)_sequence), _sequence++, 16, 40));

    private Task<CheckpointWritten> Write(CheckpointStore store, string? ingest = null)
    {
        Train();
        return store.WriteAsync(_trainer.BeginSnapshot(), ingest is null ? null : new TextIngest(ingest), Positions, Cancellation);
    }

    private sealed class TextIngest(string text) : IngestSnapshot
    {
        public override void WriteTo(Stream destination) => destination.Write(Encoding.UTF8.GetBytes(text));

        public override void Dispose() { }
    }

    private sealed class FailingIngest : IngestSnapshot
    {
        public bool Disposed { get; private set; }

        public override void WriteTo(Stream destination) => throw new IOException("No space left on device");

        public override void Dispose() => Disposed = true;
    }
}
