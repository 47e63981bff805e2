using System.Text.Json.Nodes;
using Streaming.Core.Ingestion;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Checkpoints;

/// <summary>Checkpoints of several ranks: one rename commits all, and any number of ranks continues from them.</summary>
public sealed class SharedCheckpointTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "streaming-shared-" + Path.GetRandomFileName());
    private readonly List<string> _warnings = [];

    public static TheoryData<int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int>();
            for (int from = 1; from <= 4; from++)
            {
                for (int to = 1; to <= 4; to++)
                {
                    sizes.Add(from, to);
                }
            }

            return sizes;
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Continue_OnOtherRanksAndThenOnOne_LosesNothing(int from, int to)
    {
        RankedJob job = Job();
        var first = Checkpoint.Open(job.Begin(from).FolderPath);
        var second = Checkpoint.Open(job.Continue(to).FolderPath);
        var third = Checkpoint.Open(job.Continue(1).FolderPath);
        Assert.Equal([from, to, 1], [first.Manifest.Ranks, second.Manifest.Ranks, third.Manifest.Ranks]);
        Assert.Equal(from == 1 ? 1 : 2, first.Manifest.Format);
        foreach (Checkpoint later in (Checkpoint[])[second, third])
        {
            Assert.Equal(RankedJob.EngineBytes(first), RankedJob.EngineBytes(later));
            Assert.Equal(RankedJob.TrainerBytes(first), RankedJob.TrainerBytes(later));
            Assert.Equal(first.Manifest.Counters, later.Manifest.Counters);
            Assert.Equal((6L, 5L), (later.Manifest.Step, later.Manifest.Sequence));
            Assert.Equal(RankedJob.Positions(0, 1), later.Manifest.Positions);
            Assert.Equal(Histories(first), Histories(later));
        }

        Assert.Empty(_warnings);
    }

    /// <summary>The optimiser, the bank, and all tables continue, too.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Continue_SameNumberOfRanks_TrainsOnToTheSameBits(int size)
    {
        RankedJob job = Job();
        job.Begin(size);
        job.Continue(size, steps: 3);
        var stopped = Checkpoint.Open(job.Continue(size, steps: 2).FolderPath);
        var other = new RankedJob(Path.Combine(_directory, "other"), _warnings);
        other.Begin(size);
        var straight = Checkpoint.Open(other.Continue(size, steps: 5).FolderPath);
        Assert.Equal(RankedJob.EngineBytes(straight), RankedJob.EngineBytes(stopped));
        Assert.Equal(RankedJob.TrainerBytes(straight), RankedJob.TrainerBytes(stopped));
        Assert.Equal(11, stopped.Manifest.Step);
    }

    /// <summary>A new model from another's checkpoint, whatever the numbers of their ranks.</summary>
    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    public void AdoptTo_OtherNumberOfRanks_IsTheModelOfTheCheckpoint(int from, int to)
    {
        var other = Checkpoint.Open(Job().Begin(from).FolderPath);
        var expected = Checkpoint.Open(new RankedJob(Path.Combine(_directory, "one"), _warnings).Adopt(1, other).FolderPath);
        var adopted = Checkpoint.Open(new RankedJob(Path.Combine(_directory, "next"), _warnings).Adopt(to, other).FolderPath);
        Assert.Equal(to, adopted.Manifest.Ranks);
        Assert.Equal(other.Manifest.Step, adopted.Manifest.Step);
        Assert.Equal(RankedJob.EngineBytes(expected), RankedJob.EngineBytes(adopted));
        Assert.Equal(RankedJob.TrainerBytes(expected), RankedJob.TrainerBytes(adopted));
        Assert.Equal(Histories(other), Histories(adopted));
    }

    [Fact]
    public void Commit_ThreeRanks_HasTheFilesOfEachAndNoReports()
    {
        CheckpointWritten written = Job().Begin(3);
        string[] files =
        [
            "SHA256SUMS",
            "ingest-0.bin",
            "ingest-1.bin",
            "ingest-2.bin",
            "manifest.json",
            "model-0.safetensors",
            "model-1.safetensors",
            "model-2.safetensors",
            "trainer.safetensors",
        ];
        Assert.Equal(files, Directory.GetFiles(written.FolderPath).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(written.Bytes, Directory.GetFiles(written.FolderPath).Sum(static file => new FileInfo(file).Length));
        Assert.Equal([written.FolderPath], Directory.GetFileSystemEntries(_directory));
        var report = CheckpointReport.Of(written.FolderPath);
        Assert.True(report.Verified, report.Problem);
        Assert.Equal(RankedJob.Users, report.Ingest!.Users);
        Assert.Equal(0, report.Ingest.UnknownPartitions);
        Assert.Equal(16, report.BankEntries);
        long rows = report.Tensors.Single(static tensor => tensor.Name == "items.embedding").Shape[0];
        Assert.InRange(rows, report.Items, 64);
        Assert.DoesNotContain(report.Tensors, static tensor => tensor.Name == "ranks.share");
    }

    public static TheoryData<string> FilesOfTwoRanks =>
        ["model-0.safetensors", "model-1.safetensors", "trainer.safetensors", "ingest-0.bin", "ingest-1.bin"];

    [Theory]
    [MemberData(nameof(FilesOfTwoRanks))]
    public void Commit_FileMissing_IsRefusedAndNamesTheRank(string file) =>
        Refused<IncompleteCheckpointException>(
            folder => File.Delete(Path.Combine(folder, file)),
            $"rank {(file.Contains('1', StringComparison.Ordinal) ? 1 : 0)}'s share of it is not whole: {file} has no bytes"
        );

    [Theory]
    [MemberData(nameof(FilesOfTwoRanks))]
    public void Commit_FileTorn_IsRefusedAndNamesTheRank(string file) =>
        Refused<IncompleteCheckpointException>(
            folder =>
            {
                string path = Path.Combine(folder, file);
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
            },
            $"rank {(file.Contains('1', StringComparison.Ordinal) ? 1 : 0)}'s share of it is not whole: {file} has "
        );

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Commit_ReportMissing_IsRefusedAndNamesTheRank(int rank) =>
        Refused<IncompleteCheckpointException>(
            folder => File.Delete(Path.Combine(folder, $"report-{rank}.json")),
            $"rank {rank}'s share of it is not whole: its report cannot be used"
        );

    [Fact]
    public void Commit_ReportTorn_IsRefusedAndNamesTheRank() =>
        Refused<IncompleteCheckpointException>(
            folder =>
            {
                string path = Path.Combine(folder, "report-1.json");
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..100]);
            },
            "rank 1's share of it is not whole: its report cannot be used"
        );

    [Fact]
    public void Commit_ReportOfAnotherRank_IsRefused() =>
        Refused<IncompleteCheckpointException>(
            folder => File.Copy(Path.Combine(folder, "report-0.json"), Path.Combine(folder, "report-1.json"), overwrite: true),
            "rank 1's share of it is not whole: its report is that of rank 0 of 2"
        );

    [Fact]
    public void Commit_ReportWithoutAPart_IsRefused() =>
        Refused<IncompleteCheckpointException>(
            folder => Edit(folder, 1, report => report["replica"] = null),
            "rank 1's share of it is not whole: its report cannot be used"
        );

    [Fact]
    public void Commit_ReportThatListsOtherFiles_IsRefused() =>
        Refused<IncompleteCheckpointException>(
            folder => Edit(folder, 1, report => report["files"]![0]!["name"] = "../model-0.safetensors"),
            "it wrote ../model-0.safetensors, ingest-1.bin; needed: model-1.safetensors, ingest-1.bin"
        );

    /// <summary>A value of the state above the engine differs on one rank.</summary>
    [Fact]
    public void Commit_TrainerDiffersOnOneRank_IsRefusedAndNamesRankAndTensor()
    {
        RankedJob job = Job();
        CheckpointWritten old = job.Begin(3);
        job.BeforeSnapshot = static (rank, trainer) =>
        {
            if (rank == 2)
            {
                trainer.Frequency.Count(4711);
            }
        };
        RanksDisagreeException error = Assert.Throws<RanksDisagreeException>(() => job.Continue(3));
        Assert.StartsWith(
            "The ranks disagree: rank 2 differs from rank 0 in trainer tensor frequency.",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains("Restart the job", error.Message, StringComparison.Ordinal);
        OnlyOld(old);
    }

    /// <summary>A dense parameter or a bank entry differs by one bit on one rank.</summary>
    [Theory]
    [InlineData("engine", "bank.vectors")]
    [InlineData("engine", "optimizer.counters")]
    [InlineData("trainer", "items.keys")]
    public void Commit_HashOfATensorDiffers_IsRefusedAndNamesIt(string part, string tensor) =>
        Refused<RanksDisagreeException>(
            folder => Edit(folder, 1, report => report["replica"]![part]![tensor] = 12345UL),
            $"rank 1 differs from rank 0 in {part} tensor {tensor}."
        );

    [Fact]
    public void Commit_RanksAtDifferentSteps_IsRefused() =>
        Refused<RanksDisagreeException>(
            folder => Edit(folder, 1, report => report["manifest"]!["step"] = 7),
            "rank 1 is at step 7 and batch 5, rank 0 at 6 and 5"
        );

    [Fact]
    public void Commit_SettingsDiffer_IsRefusedAndNamesTheSetting() =>
        Refused<RanksDisagreeException>(
            folder => Edit(folder, 1, report => report["manifest"]!["shape"]!["Replay.Capacity"] = "7"),
            "rank 1 has Replay.Capacity 7, rank 0 has 32"
        );

    [Fact]
    public void Commit_OneRankWithoutIngestion_IsRefused() =>
        Refused<RanksDisagreeException>(
            folder =>
                Edit(
                    folder,
                    1,
                    report =>
                    {
                        report["manifest"]!["hasIngest"] = false;
                        report["files"]!.AsArray().RemoveAt(1);
                    }
                ),
            "rank 1 has no ingestion state, rank 0 has one"
        );

    [Fact]
    public void Commit_TwoRanksOfOnePartition_IsRefused()
    {
        RankedJob job = Job();
        CheckpointWritten old = job.Begin(2);
        job.PositionsOf = static (_, _) => RankedJob.Positions(0, 1);
        RanksDisagreeException error = Assert.Throws<RanksDisagreeException>(() => job.Continue(2));
        Assert.StartsWith("Ranks 0 and 1 both read interactions[0].", error.Message, StringComparison.Ordinal);
        OnlyOld(old);
    }

    public static TheoryData<string, int> AllFiles
    {
        get
        {
            var files = new TheoryData<string, int>();
            foreach (string file in (string[])[.. FilesOfTwoRanks.Select(static row => row.Data), "manifest.json", "SHA256SUMS"])
            {
                files.Add(file, 1);
                files.Add(file, 2);
                files.Add(file, 3);
            }

            return files;
        }
    }

    /// <summary>Only one rank reads most files; all ranks skip the checkpoint all the same.</summary>
    [Theory]
    [MemberData(nameof(AllFiles))]
    public void FindNewest_AFileOfTheNewestCorrupt_AllRanksFallBackToTheSameOlderOne(string file, int readers)
    {
        RankedJob job = Job();
        CheckpointWritten old = job.Begin(2),
            newest = job.Continue(2);
        string path = Path.Combine(newest.FolderPath, file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
        string[] found = Found(job, readers);
        Assert.Equal(Enumerable.Repeat(old.FolderPath, readers), found);
        Assert.Equal(readers, _warnings.Count);
        Assert.All(_warnings, warning => Assert.Contains(newest.FolderPath, warning, StringComparison.Ordinal));
    }

    [Fact]
    public void FindNewest_AllCorrupt_ThrowsOnEveryRank()
    {
        RankedJob job = Job();
        File.Delete(Path.Combine(job.Begin(2).FolderPath, "model-1.safetensors"));
        var errors = new Exception?[2];
        InProcessRanks.Run(2, ranks => errors[ranks.Rank] = Record.Exception(() => job.Store().FindNewest(ranks)));
        Assert.All(errors, error => Assert.IsType<DamagedCheckpointsException>(error));
    }

    [Fact]
    public void FindNewest_NewerFormat_IsRefusedOnEveryRank()
    {
        RankedJob job = Job();
        CheckpointWritten written = job.Begin(2);
        string path = Path.Combine(written.FolderPath, "manifest.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"format\": 2", "\"format\": 3", StringComparison.Ordinal));
        string sums = Path.Combine(written.FolderPath, "SHA256SUMS");
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
        File.WriteAllLines(
            sums,
            File.ReadAllLines(sums).Select(line => line.EndsWith("json", StringComparison.Ordinal) ? hash + line[64..] : line)
        );
        var errors = new Exception?[2];
        InProcessRanks.Run(2, ranks => errors[ranks.Rank] = Record.Exception(() => job.Store().FindNewest(ranks)));
        Assert.All(errors, error => Assert.IsType<StateMismatchException>(error));
    }

    [Fact]
    public void FindNewest_NoCheckpoint_IsNullOnEveryRank() => Assert.Equal([string.Empty, string.Empty], Found(Job(), 2));

    [Fact]
    public void Begin_AfterACrashBetweenThePhases_ClearsTheLeftoverAndOldOnesStay()
    {
        RankedJob job = Job();
        CheckpointWritten old = job.Begin(2);
        job.BeforeCommit = static _ => throw new InvalidOperationException("killed");
        Assert.Throws<InvalidOperationException>(() => job.Continue(2));
        string left = Assert.Single(Directory.GetFileSystemEntries(_directory), path => path != old.FolderPath);
        Assert.Equal([old.FolderPath, old.FolderPath], Found(job, 2));
        job.BeforeCommit = static _ => { };
        CheckpointWritten next = job.Continue(2);
        Assert.False(Directory.Exists(left));
        Assert.Equal([next.FolderPath, next.FolderPath], Found(job, 2));
    }

    [Fact]
    public void Abandon_Unfinished_DeletesItAndNothingElse()
    {
        CheckpointWritten old = Job().Begin(2);
        CheckpointStore store = Job().Store();
        string name = store.BeginShared();
        File.WriteAllText(Path.Combine(_directory, name, "model-1.safetensors"), "half");
        store.Abandon(name);
        OnlyOld(old);
    }

    [Theory]
    [InlineData("checkpoint-00000000")]
    [InlineData(".tmp-checkpoint-00000001")]
    [InlineData("../.tmp-checkpoint-00000001-0123456789abcdef0123456789abcdef")]
    [InlineData(".tmp-elsewhere-0123456789abcdef0123456789abcdef")]
    [InlineData("")]
    public void Abandon_OtherNames_AreRefused(string name) => Assert.Throws<ArgumentException>(() => Job().Store().Abandon(name));

    [Fact]
    public void Begin_Superseded_IsRefused()
    {
        new RankedJob(_directory, _warnings, token: 9).Begin(2);
        Assert.Throws<SupersededException>(() => new RankedJob(_directory, _warnings, token: 7).Begin(2));
        Assert.Single(Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public void Commit_SupersededMeanwhile_KeepsNothing()
    {
        RankedJob old = new(_directory, _warnings, token: 7),
            next = new(_directory, _warnings, token: 9);
        string newest = string.Empty;
        old.BeforeCommit = _ => newest = next.Begin(2).FolderPath;
        Assert.Throws<SupersededException>(() => old.Begin(2));
        Assert.Equal([newest], Directory.GetFileSystemEntries(_directory));
    }

    [Fact]
    public void WriteShare_FolderThatIsNotThere_SaysThatRanksShareOne()
    {
        string name = Job().Store().BeginShared();
        var elsewhere = new CheckpointStore(Path.Combine(_directory, "elsewhere"), 1, TimeProvider.System, _warnings.Add);
        using var engine = new FakeEngine(
            new ModelOptions
            {
                Widths = [4],
                ItemCapacity = 8,
                BankCapacity = 4,
            }
        );
        using var trainer = new Trainer(engine, new TrainerOptions { EvaluateEvery = -1 });
        IOException error = Assert.Throws<DirectoryNotFoundException>(() =>
            elsewhere.WriteShareAsync(name, 1, 2, trainer.BeginSnapshot(), null, [], CancellationToken.None).GetAwaiter().GetResult()
        );
        Assert.Contains("Give all ranks the same folder", error.Message, StringComparison.Ordinal);
        trainer.BeginSnapshot().Dispose(); // The first has ended.
    }

    private RankedJob Job() => new(_directory, _warnings);

    private string[] Found(RankedJob job, int readers)
    {
        string[] found = new string[readers];
        InProcessRanks.Run(readers, ranks => found[ranks.Rank] = job.Store().FindNewest(ranks)?.FolderPath ?? string.Empty);
        return found;
    }

    private void Refused<T>(Action<string> damage, string expected)
        where T : Exception
    {
        RankedJob job = Job();
        CheckpointWritten old = job.Begin(2);
        job.BeforeCommit = damage;
        T error = Assert.Throws<T>(() => job.Continue(2));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        OnlyOld(old);

        // The next one succeeds.
        job.BeforeCommit = static _ => { };
        Assert.NotEqual(old.FolderPath, job.Continue(2).FolderPath);
    }

    private void OnlyOld(CheckpointWritten old)
    {
        Assert.Equal([old.FolderPath], Directory.GetFileSystemEntries(_directory));
        Assert.Equal(old.FolderPath, Job().Store().FindNewest()!.FolderPath);
    }

    private static void Edit(string folder, int rank, Action<JsonNode> change)
    {
        string path = Path.Combine(folder, $"report-{rank}.json");
        JsonNode report = JsonNode.Parse(File.ReadAllText(path))!;
        change(report);
        File.WriteAllText(path, report.ToJsonString());
    }

    private static string Histories(Checkpoint checkpoint)
    {
        IngestState state = checkpoint.ReadIngest(RankedJob.Histories, RankedJob.Dedup)!;
        ulong[] items = new ulong[state.Histories.Length];
        return string.Join(
            '\n',
            Enumerable.Range(0, RankedJob.Users).Select(user => string.Join(' ', items[..state.Histories.Get((ulong)user, items)]))
        );
    }
}
