using System.Security.Cryptography;
using System.Text;
using Streaming.Core.Ingestion;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>A description of a checkpoint, intact or damaged. Its files are untrusted: everything is checked.</summary>
public sealed record CheckpointReport
{
    /// <summary>Gets the folder.</summary>
    public required string FolderPath { get; init; }

    /// <summary>Gets a value indicating whether every file exists and matches its checksum.</summary>
    public bool Verified => Problem.Length == 0 && Files.All(static file => file.Problem.Length == 0);

    /// <summary>Gets what is wrong with the checkpoint as a whole; empty when nothing is.</summary>
    public string Problem { get; init; } = string.Empty;

    /// <summary>Gets its files.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; init; } = [];

    /// <summary>Gets its manifest; null when it cannot be read.</summary>
    public CheckpointManifest? Manifest { get; init; }

    /// <summary>Gets its number within the fencing token; −1 when the folder's name has none.</summary>
    public long Number { get; init; } = -1;

    /// <summary>Gets the SHA-256 of the settings that must match to read it: equal fingerprints, equal settings; empty without
    /// a manifest.</summary>
    public string Fingerprint { get; init; } = string.Empty;

    /// <summary>Gets the tensors of the engine: parameters, optimiser state, bank.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; init; } = [];

    /// <summary>Gets the number of items; −1 when it cannot be read.</summary>
    public long Items { get; init; } = -1;

    /// <summary>Gets the number of entries in the memory bank; −1 when it cannot be read.</summary>
    public long BankEntries { get; init; } = -1;

    /// <summary>Gets histories and dedup window; null when there are none, or they cannot be read.</summary>
    public IngestSummary? Ingest { get; init; }

    /// <summary>Inspects a checkpoint folder; reads all of it.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="StateMismatchException">It was written by a newer version of this program.</exception>
    public static CheckpointReport Of(string path)
    {
        var report = new CheckpointReport { FolderPath = path, Number = CheckpointFiles.StampOf(path)?.Number ?? -1 };
        try
        {
            report = report with { Manifest = CheckpointReading.ReadManifest(Path.Combine(path, CheckpointFiles.Manifest)) };
            report = report with { Fingerprint = FingerprintOf(report.Manifest.Shape), Files = Verify(path) };
            string? missing = CheckpointFiles.Needed(report.Manifest).FirstOrDefault(name => report.Files.All(file => file.Name != name));
            return Look(missing is null ? report : report with { Problem = $"{CheckpointFiles.Checksums} does not list {missing}." });
        }
        catch (InvalidDataException exception)
        {
            return report with { Problem = exception.Message };
        }
    }

    private static List<CheckpointFile> Verify(string path)
    {
        var files = new List<CheckpointFile>();
        foreach ((string name, string checksum) in CheckpointReading.ReadChecksums(path))
        {
            string file = Path.Combine(path, name);
            long bytes = File.Exists(file) ? new FileInfo(file).Length : 0;
            files.Add(new CheckpointFile(name, bytes, Trouble(() => CheckpointReading.Verify(file, checksum))));
        }

        return files;
    }

    /// <summary>Inspects only files that match their checksum.</summary>
    private static CheckpointReport Look(CheckpointReport report)
    {
        string problem = report.Problem;
        IEnumerable<int> ranks = Enumerable.Range(0, report.Manifest!.Ranks);
        var checkpoint = Checkpoint.Unverified(report.FolderPath, report.Manifest);
        if (ranks.All(rank => report.IsWhole(CheckpointFiles.EngineOf(rank, report.Manifest.Ranks))))
        {
            problem += Trouble(() =>
            {
                using TensorSource engine = checkpoint.OpenEngine();
                long bank = engine.Tensors.FirstOrDefault(static tensor => tensor.Name == "bank.vectors") is { Shape: [var entries, ..] }
                    ? entries
                    : -1;
                report = report with { Tensors = engine.Tensors, BankEntries = bank };
            });
        }

        if (report.IsWhole(CheckpointFiles.Trainer))
        {
            problem += Trouble(() =>
            {
                using SafetensorsReader trainer = checkpoint.OpenTrainer();
                report = report with { Items = new TensorReader(trainer).ReadValue<int>("items.count") };
            });
        }

        if (ranks.All(rank => report.IsWhole(CheckpointFiles.IngestOf(rank, report.Manifest.Ranks))))
        {
            problem += Trouble(() =>
                report = report with { Ingest = ranks.Select(checkpoint.Summarise).Aggregate(static (a, b) => a.With(b)) }
            );
        }

        return report with
        {
            Problem = problem,
        };
    }

    private static string Trouble(Action look)
    {
        try
        {
            look();
            return string.Empty;
        }
        catch (Exception exception) when (exception is InvalidDataException or StateMismatchException)
        {
            return exception.Message;
        }
    }

    private static string FingerprintOf(IReadOnlyDictionary<string, string> shape) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    string.Concat(
                        shape.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Key}={pair.Value}\n")
                    )
                )
            )
        );

    private bool IsWhole(string name) => Files.Any(file => file.Name == name && file.Problem.Length == 0);
}
