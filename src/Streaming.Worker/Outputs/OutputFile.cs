using Streaming.Worker.Failures;

namespace Streaming.Worker.Outputs;

/// <summary>Writes files that the command line names.</summary>
public static class OutputFile
{
    /// <summary>Writes a text.</summary>
    /// <param name="file">The file; null: not asked for.</param>
    /// <param name="text">Its content.</param>
    /// <exception cref="OutputFileException">It cannot be written.</exception>
    public static void Write(string? file, string text)
    {
        if (file is null)
        {
            return;
        }

        try
        {
            File.WriteAllText(file, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OutputFileException(file, exception);
        }
    }
}
