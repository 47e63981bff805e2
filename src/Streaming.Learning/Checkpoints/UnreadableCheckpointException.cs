namespace Streaming.Learning.Checkpoints;

/// <summary>Checkpoints are there, or may be, and cannot be read: a missing right, an error of the disk. That is not "none": a model
/// that began anew would publish its first steps over what was learned, and clear the older checkpoints away in time.</summary>
/// <param name="message">What cannot be read and why.</param>
/// <param name="inner">The cause, if it is known here.</param>
public sealed class UnreadableCheckpointException(string message, Exception? inner = null) : IOException(message, inner);
