using System.Globalization;
using System.Text.Json;

namespace Streaming.Learning.Checkpoints;

/// <summary>What a rank reports of its share of a checkpoint once that is on disk: <c>report-K.json</c> in the temporary folder.</summary>
internal sealed record ShareReport
{
    private const int MaxBytes = 16 << 20;

    /// <summary>Gets the number of the rank.</summary>
    public int Rank { get; init; }

    /// <summary>Gets the checkpoint as this rank sees it; its positions are those of the partitions that this rank reads.</summary>
    public required CheckpointManifest Manifest { get; init; }

    /// <summary>Gets the files that it wrote.</summary>
    public required IReadOnlyList<WrittenFile> Files { get; init; }

    /// <summary>Gets the hashes of the state that must be the same on all ranks.</summary>
    public required ReplicaHashes Replica { get; init; }

    /// <summary>Reads the report of a rank, and checks that the rank's files are there.</summary>
    /// <param name="folder">The temporary folder.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="ranks">Number of ranks.</param>
    /// <exception cref="IncompleteCheckpointException">The report or a file is missing or damaged.</exception>
    public static ShareReport Read(string folder, int rank, int ranks)
    {
        ShareReport report = Parse(Path.Combine(folder, CheckpointFiles.ReportOf(rank)), rank);
        if (report.Rank != rank || report.Manifest.Ranks != ranks)
        {
            throw Incomplete(rank, $"its report is that of rank {Text(report.Rank)} of {Text(report.Manifest.Ranks)}");
        }

        report.CheckFiles(folder);
        return report;
    }

    private static ShareReport Parse(string path, int rank)
    {
        try
        {
            return
                JsonSerializer.Deserialize<ShareReport>(CheckpointReading.ReadBounded(path, MaxBytes), CheckpointJson.Options)
                    is {
                        Manifest.Shape: not null,
                        Manifest.Positions: not null,
                        Files: not null,
                        Replica: { Engine: not null, Trainer: not null }
                    } read
                ? read
                : throw new InvalidDataException($"'{path}' lacks a part.");
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException or DirectoryNotFoundException)
        {
            throw Incomplete(rank, $"its report cannot be used: {exception.Message}", exception);
        }
    }

    private void CheckFiles(string folder)
    {
        string[] needed =
        [
            CheckpointFiles.EngineOf(Rank, Manifest.Ranks),
            .. Rank == 0 ? [CheckpointFiles.Trainer] : (string[])[],
            .. Manifest.HasIngest ? [CheckpointFiles.IngestOf(Rank, Manifest.Ranks)] : (string[])[],
        ];
        if (!needed.SequenceEqual(Files.Select(static file => file.Name)))
        {
            throw Incomplete(
                Rank,
                $"it wrote {string.Join(", ", Files.Select(static file => file.Name))}; needed: {string.Join(", ", needed)}"
            );
        }

        foreach (WrittenFile written in Files)
        {
            var file = new FileInfo(Path.Combine(folder, written.Name));
            if (!file.Exists || file.Length != written.Bytes)
            {
                throw Incomplete(
                    Rank,
                    $"{written.Name} has {(file.Exists ? Text(file.Length) : "no")} bytes; the rank wrote {Text(written.Bytes)}"
                );
            }
        }
    }

    private static IncompleteCheckpointException Incomplete(int rank, string what, Exception? inner = null) =>
        new($"The checkpoint was discarded; rank {Text(rank)}'s share of it is not whole: {what}.", inner);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
