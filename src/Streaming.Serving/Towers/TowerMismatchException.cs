namespace Streaming.Serving.Towers;

/// <summary>A user tower does not belong to the embeddings being read: their vectors must not be compared.</summary>
public sealed class TowerMismatchException(string message, Exception? inner = null) : Exception(message, inner);
