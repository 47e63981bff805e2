using Streaming.Formats.Inputs;

namespace Streaming.Formats.Files;

/// <summary>A file to read, and the columns that its folders define for all its rows.</summary>
/// <param name="Path">The file.</param>
/// <param name="Partitions">Columns of hive-style folders: hour=07 gives hour.</param>
internal readonly record struct InputFilePart(string Path, IReadOnlyList<KeyValuePair<string, string>> Partitions);

/// <summary>Finds the files named on a command line.</summary>
internal static class InputFiles
{
    // Hive's marker for null.
    private const string NullPartition = "__HIVE_DEFAULT_PARTITION__";

    /// <summary>The file itself, or the files of a folder and its subfolders in order of their names, without those that tools
    /// leave next to data: _SUCCESS, .part.crc.</summary>
    /// <exception cref="InputFileException">There are none.</exception>
    public static IEnumerable<InputFilePart> Find(string path)
    {
        if (!Directory.Exists(path))
        {
            return [new InputFilePart(path, [])];
        }

        InputFilePart[] parts = [.. In(path, [])];
        return parts.Length > 0
            ? parts
            : throw new InputFileException($"{path}: the folder contains no files", new FileNotFoundException());
    }

    private static IEnumerable<InputFilePart> In(string folder, IReadOnlyList<KeyValuePair<string, string>> partitions)
    {
        foreach (string file in Visible(Directory.GetFiles(folder)))
        {
            yield return new InputFilePart(file, partitions);
        }

        foreach (string inner in Visible(Directory.GetDirectories(folder)))
        {
            string name = Path.GetFileName(inner);
            int equals = name.IndexOf('=', StringComparison.Ordinal);
            string value = equals > 0 ? Uri.UnescapeDataString(name[(equals + 1)..]) : string.Empty;
            foreach (
                InputFilePart part in In(
                    inner,
                    equals > 0 && value != NullPartition ? [.. partitions, new(Uri.UnescapeDataString(name[..equals]), value)] : partitions
                )
            )
            {
                yield return part;
            }
        }
    }

    private static IEnumerable<string> Visible(string[] paths) =>
        paths.Where(static path => Path.GetFileName(path)[0] is not ('_' or '.')).Order(StringComparer.Ordinal);
}
