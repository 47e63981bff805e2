namespace Streaming.Worker.Failures;

/// <summary>A server that must be there is not: the message says which, where, and what to do.</summary>
public sealed class ServerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
