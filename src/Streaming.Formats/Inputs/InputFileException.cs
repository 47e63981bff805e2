namespace Streaming.Formats.Inputs;

/// <summary>A file cannot be used: the message names the file, the line if known, and what was expected.</summary>
public sealed class InputFileException(string message, Exception? inner = null) : Exception(message, inner);
