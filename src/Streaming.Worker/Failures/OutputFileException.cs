namespace Streaming.Worker.Failures;

/// <summary>A file that the command line names could not be written, though it was writable at the start.</summary>
/// <param name="file">The file.</param>
/// <param name="inner">Why.</param>
public sealed class OutputFileException(string file, Exception inner) : Exception($"'{file}' could not be written: {inner.Message}", inner);
