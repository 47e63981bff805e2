namespace Streaming.Learning.Checkpoints;

/// <summary>The ranks of a job do not hold the same state, or do not share the stream as they must: the checkpoint was discarded, and
/// training on would go wrong. Older checkpoints are unaffected.</summary>
/// <param name="message">The ranks, what they differ in, and what to do.</param>
public sealed class RanksDisagreeException(string message) : Exception(message);
