namespace Streaming.Learning.Checkpoints;

/// <summary>There are checkpoints, and not one of them is as it was written: whether to begin anew is for a person to decide.</summary>
/// <param name="message">What is wrong with the last one looked at, and what to do.</param>
public sealed class DamagedCheckpointsException(string message) : Exception(message);
