namespace Streaming.Worker;

/// <summary>A file cannot be used: the message names the file, the line where there is one, and what was expected.</summary>
internal sealed class InputFileException(string message, Exception? inner = null) : Exception(message, inner);
