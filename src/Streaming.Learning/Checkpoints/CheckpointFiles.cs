using System.Globalization;

namespace Streaming.Learning.Checkpoints;

/// <summary>File names in a checkpoint folder.</summary>
internal static class CheckpointFiles
{
    public const string Trainer = "trainer.safetensors";
    public const string Manifest = "manifest.json";

    /// <summary>In the format of sha256sum, so that a checkpoint can be verified without this program.</summary>
    public const string Checksums = "SHA256SUMS";

    public const string Prefix = "checkpoint-";
    public const string TemporaryPrefix = ".tmp-";
    public const string DeletingPrefix = ".deleting-";

    /// <summary>The engine's state of one of N ranks.</summary>
    public static string EngineOf(int rank, int ranks) =>
        ranks == 1 ? "model.safetensors" : FormattableString.Invariant($"model-{rank}.safetensors");

    /// <summary>The ingestion state of one of N ranks.</summary>
    public static string IngestOf(int rank, int ranks) => ranks == 1 ? "ingest.bin" : FormattableString.Invariant($"ingest-{rank}.bin");

    /// <summary>What a rank reports of its share of an unfinished checkpoint.</summary>
    public static string ReportOf(int rank) => FormattableString.Invariant($"report-{rank}.json");

    /// <summary>The files that a checkpoint must have.</summary>
    public static IEnumerable<string> Needed(CheckpointManifest manifest)
    {
        IEnumerable<int> ranks = Enumerable.Range(0, manifest.Ranks);
        return ranks
            .Select(rank => EngineOf(rank, manifest.Ranks))
            .Concat([Trainer, Manifest])
            .Concat(manifest.HasIngest ? ranks.Select(rank => IngestOf(rank, manifest.Ranks)) : []);
    }

    /// <summary>A unique name for a checkpoint folder while it is being written: a suspended writer that has been replaced must not move
    /// its successor's folder.</summary>
    public static string TemporaryName(string folderName) => $"{TemporaryPrefix}{folderName}-{Guid.NewGuid():N}";

    /// <summary>The name that the folder of a <see cref="TemporaryName"/> gets; null for another name.</summary>
    public static string? FinalName(string temporary)
    {
        int end = temporary.Length - 33;
        return
            end > TemporaryPrefix.Length
            && temporary.StartsWith(TemporaryPrefix, StringComparison.Ordinal)
            && temporary[end] == '-'
            && Guid.TryParseExact(temporary[(end + 1)..], "N", out _)
            && StampOf(temporary[TemporaryPrefix.Length..end]) is not null
            && Path.GetFileName(temporary) == temporary
            ? temporary[TemporaryPrefix.Length..end]
            : null;
    }

    /// <summary>The name of a checkpoint folder; a token, if any, precedes the number.</summary>
    public static string FolderName(uint token, long number) =>
        token == 0 ? FormattableString.Invariant($"{Prefix}{number:D8}") : FormattableString.Invariant($"{Prefix}{token:D10}-{number:D8}");

    /// <summary>The fencing token and number of a checkpoint folder, to compare in this order; null for another folder.</summary>
    public static (uint Token, long Number)? StampOf(string path)
    {
        string name = Path.GetFileName(path);
        return
            name.StartsWith(Prefix, StringComparison.Ordinal)
            && Parse(name.AsSpan(Prefix.Length)) is { } stamp
            && FolderName(stamp.Token, stamp.Number) == name
            ? stamp
            : null;
    }

    /// <summary>The token of the trainer that left this unfinished folder; null for another folder.</summary>
    public static uint? LeftoverTokenOf(string path)
    {
        string name = Path.GetFileName(path);
        foreach (string prefix in (string[])[TemporaryPrefix + Prefix, DeletingPrefix + Prefix])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                string[] parts = name[prefix.Length..].Split('-');
                return
                    parts.Length >= 2
                    && parts[0].Length == 10
                    && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint token)
                    ? token
                    : 0;
            }
        }

        return null;
    }

    private static (uint Token, long Number)? Parse(ReadOnlySpan<char> text)
    {
        int dash = text.IndexOf('-');
        uint token = 0;
        return
            (dash < 0 || uint.TryParse(text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out token))
            && long.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? (token, number)
            : null;
    }
}
