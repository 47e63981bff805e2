namespace Streaming.Learning.Checkpoints;

/// <summary>A rank's share of a checkpoint is missing or not as the rank reported it: the checkpoint was discarded. Older ones are
/// unaffected, and the next may succeed.</summary>
/// <param name="message">The rank, and what is missing.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class IncompleteCheckpointException(string message, Exception? inner = null) : IOException(message, inner);
