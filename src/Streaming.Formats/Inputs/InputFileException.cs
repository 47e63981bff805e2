namespace Streaming.Formats.Inputs;

/// <summary>A file cannot be used: the message names the file, the line where there is one, and what was expected.</summary>
public sealed class InputFileException(string message, Exception? inner = null) : Exception(message, inner);
