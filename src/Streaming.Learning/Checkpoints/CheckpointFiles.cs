using System.Globalization;

namespace Streaming.Learning.Checkpoints;

/// <summary>File names in a checkpoint folder.</summary>
internal static class CheckpointFiles
{
    public const string Engine = "model.safetensors";
    public const string Trainer = "trainer.safetensors";
    public const string Ingest = "ingest.bin";
    public const string Manifest = "manifest.json";

    /// <summary>In the format of sha256sum, so that a checkpoint can be verified without this program.</summary>
    public const string Checksums = "SHA256SUMS";

    public const string Prefix = "checkpoint-";
    public const string TemporaryPrefix = ".tmp-";
    public const string DeletingPrefix = ".deleting-";

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
