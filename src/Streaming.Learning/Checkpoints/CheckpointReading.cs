using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>Reads and verifies files of a checkpoint folder. They are untrusted: sizes are bounded, everything is checked.</summary>
internal static class CheckpointReading
{
    private const long MaxManifestBytes = 16 << 20;
    private const int MaxChecksumBytes = 1 << 20;

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="InvalidDataException">It is missing, or not a manifest.</exception>
    /// <exception cref="StateMismatchException">It was written by a newer version of this program.</exception>
    public static CheckpointManifest ReadManifest(string path)
    {
        byte[] bytes = ReadBounded(path, MaxManifestBytes);
        try
        {
            // The version first: the rest of a newer manifest may not be readable.
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 16 });
            int format = document.RootElement.GetProperty("format").GetInt32();
            if (format > CheckpointManifest.CurrentFormat)
            {
                throw new StateMismatchException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{path}' has format version {format}; this program reads versions up to {CheckpointManifest.CurrentFormat}. "
                            + $"Use a newer program, or an older checkpoint."
                    )
                );
            }

            return document.Deserialize<CheckpointManifest>(CheckpointJson.Options) switch
            {
                { Shape: not null, Positions: not null, Ranks: >= 1 and <= CheckpointManifest.MaxRanks } manifest => manifest,
                { Shape: not null, Positions: not null } manifest => throw new InvalidDataException(
                    $"'{path}' is of {manifest.Ranks} ranks; allowed: 1 to {CheckpointManifest.MaxRanks}."
                ),
                _ => throw new InvalidDataException($"'{path}' has no shape or positions."),
            };
        }
        catch (Exception exception)
            when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{path}' is not a manifest: {exception.Message}", exception);
        }
    }

    /// <summary>The checksums listed by a checkpoint, by file, in order. Verifies nothing.</summary>
    public static List<KeyValuePair<string, string>> ReadChecksums(string path)
    {
        string sums = Path.Combine(path, CheckpointFiles.Checksums);
        var named = new List<KeyValuePair<string, string>>();
        foreach (
            string line in Encoding.ASCII.GetString(ReadBounded(sums, MaxChecksumBytes)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        )
        {
            // 64 hex digits, two spaces, a name without a path.
            if (line.Length < 67 || line[64..66] != "  " || line[66..] != Path.GetFileName(line[66..]) || line[66..] is "." or "..")
            {
                throw new InvalidDataException($"'{sums}' has a line that is not a checksum: '{line}'.");
            }

            named.Add(new(line[66..], line[..64]));
        }

        return named;
    }

    /// <summary>Compares a file with its checksum.</summary>
    public static void Verify(string path, string expected)
    {
        using FileStream file = OpenFile(path);
        if (!Convert.ToHexStringLower(SHA256.HashData(file)).Equals(expected, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException($"'{path}' does not match its checksum: it is torn or corrupt.");
        }
    }

    public static byte[] ReadBounded(string path, long maxBytes)
    {
        using FileStream file = OpenFile(path);
        if (file.Length > maxBytes)
        {
            throw new InvalidDataException($"'{path}' has {file.Length} bytes; allowed: {maxBytes}.");
        }

        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    // Asking first whether a file exists would not do: where the folder may not be entered the answer is no.
    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        }
        catch (FileNotFoundException exception)
        {
            throw new InvalidDataException($"'{path}' is missing.", exception);
        }
    }
}
