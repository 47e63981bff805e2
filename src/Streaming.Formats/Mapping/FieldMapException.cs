namespace Streaming.Formats.Mapping;

/// <summary>A mapping is invalid: the message names the part, and what is allowed.</summary>
public sealed class FieldMapException(string message) : Exception(message);
