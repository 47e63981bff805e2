namespace Streaming.Encoders.Catalogues;

/// <summary>Finds the pictures that a catalogue names, within their folder.</summary>
/// <param name="folder">The folder.</param>
internal sealed class PictureFolder(string folder)
{
    /// <summary>The largest file of a picture.</summary>
    public const long MaxBytes = 32 << 20;

    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;

    /// <summary>Reads a picture.</summary>
    /// <param name="name">Its path, as the catalogue has it.</param>
    /// <param name="problem">Why it cannot be read.</param>
    /// <returns>Its bytes, or null.</returns>
    public byte[]? Read(string name, out string? problem)
    {
        problem = null;
        if (name.Contains("://", StringComparison.Ordinal))
        {
            problem = "URLs are not fetched; allowed: a path";
            return null;
        }

        try
        {
            // A catalogue may come from others: its paths lead nowhere else.
            string path = Path.GetFullPath(Path.Combine(_root, name));
            if (!path.StartsWith(_root, StringComparison.Ordinal))
            {
                problem = $"outside of {_root}";
                return null;
            }

            var file = new FileInfo(path);
            problem =
                !file.Exists ? $"no file {path}"
                : file.Length > MaxBytes ? $"{path} is longer than {MaxBytes >> 20} MiB"
                : null;
            return problem is null ? File.ReadAllBytes(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = exception.Message;
            return null;
        }
    }
}
