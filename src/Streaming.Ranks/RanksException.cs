namespace Streaming.Ranks;

/// <summary>The ranks cannot be joined, or no longer work together. The message says why and what to do.</summary>
public sealed class RanksException(string message) : Exception(message);
