using Streaming.Worker.Failures;

namespace Streaming.Worker.Outputs;

/// <summary>Checks the files and folders that will be written, before the work begins: not after an hour of it.</summary>
public static class OutputPath
{
    /// <summary>Checks the files that options name.</summary>
    /// <param name="files">Options and their values; null: not given.</param>
    /// <exception cref="SettingsException">Names each that cannot be written, and why.</exception>
    public static void Require(params IEnumerable<(string Option, string? File)> files)
    {
        string[] errors =
        [
            .. from file in files
            where file.File is not null
            let error = ErrorOfFile(file.File)
            where error.Length > 0
            select $"{file.Option} is '{file.File}', which cannot be written: {error} Allowed: a file in a folder that exists, which this "
                + "user may write to.",
        ];
        if (errors.Length > 0)
        {
            throw new SettingsException(errors);
        }
    }

    /// <summary>Creates a folder, and a file in it for a moment.</summary>
    /// <param name="name">The setting or option that names it.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SettingsException">It cannot be written to.</exception>
    public static void RequireFolder(string name, string folder)
    {
        string error = ErrorOfFolder(folder);
        if (error.Length > 0)
        {
            throw new SettingsException([
                $"{name} is '{folder}', which cannot be written to: {error} Allowed: a folder that this user may write to.",
            ]);
        }
    }

    private static string ErrorOfFile(string file)
    {
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? "/";
            if (Directory.Exists(file) || !Directory.Exists(folder))
            {
                return Directory.Exists(file) ? "It is a folder." : $"The folder '{folder}' does not exist.";
            }

            // What exists and is empty may be a pipe, and opening one waits for its reader.
            bool exists = File.Exists(file);
            if (!exists || new FileInfo(file).Length > 0)
            {
                new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
            }

            if (!exists)
            {
                File.Delete(file);
            }

            return string.Empty;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Sentence(exception.Message);
        }
    }

    private static string ErrorOfFolder(string folder)
    {
        try
        {
            // A link that leads nowhere exists as a file.
            var link = new FileInfo(folder);
            if (
                link.LinkTarget is { } target
                && !Directory.Exists(folder)
                && link.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true }
            )
            {
                return $"It is a symbolic link to '{target}', which does not exist.";
            }

            if (File.Exists(folder))
            {
                return "It is a file.";
            }

            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $".probe-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return string.Empty;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Sentence(exception.Message);
        }
    }

    private static string Sentence(string message) => message.TrimEnd('.') + ".";
}
