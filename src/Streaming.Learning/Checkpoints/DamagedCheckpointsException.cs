namespace Streaming.Learning.Checkpoints;

/// <summary>Every checkpoint is damaged. Whether to start a new model is for a person to decide.</summary>
/// <param name="message">What is wrong with the last one looked at, and what to do.</param>
public sealed class DamagedCheckpointsException(string message) : Exception(message);
