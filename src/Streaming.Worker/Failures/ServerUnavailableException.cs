namespace Streaming.Worker.Failures;

/// <summary>A required server is unavailable. The message names it, its address, and what to do.</summary>
public sealed class ServerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
