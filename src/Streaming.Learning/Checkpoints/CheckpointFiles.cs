namespace Streaming.Learning;

/// <summary>Names in a checkpoint folder.</summary>
internal static class CheckpointFiles
{
    public const string Engine = "model.safetensors";
    public const string Trainer = "trainer.safetensors";
    public const string Ingest = "ingest.bin";
    public const string Manifest = "manifest.json";

    /// <summary>In the format of sha256sum, so that anybody can check a checkpoint without this program.</summary>
    public const string Checksums = "SHA256SUMS";

    public const string Prefix = "checkpoint-";
    public const string TemporaryPrefix = ".tmp-";
    public const string DeletingPrefix = ".deleting-";

    public static string FolderName(long number) => FormattableString.Invariant($"{Prefix}{number:D8}");

    /// <summary>The number of a checkpoint folder, or −1 for another folder.</summary>
    public static long NumberOf(string path)
    {
        string name = Path.GetFileName(path);
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(Prefix.Length), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number)
            && FolderName(number) == name
            ? number
            : -1;
    }
}
