namespace Streaming.Serving.Approximate;

/// <summary>USearch refused a call, or its native library cannot be loaded; the message says why.</summary>
public sealed class UsearchException(string message) : Exception(message);
