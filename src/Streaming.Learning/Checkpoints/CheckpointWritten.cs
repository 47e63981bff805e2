namespace Streaming.Learning.Checkpoints;

/// <summary>A checkpoint that is on disk.</summary>
/// <param name="FolderPath">Its folder.</param>
/// <param name="Step">Number of training steps of the model.</param>
/// <param name="Sequence">Last batch that it contains.</param>
/// <param name="Bytes">Size of all files.</param>
/// <param name="Duration">Time it took to write.</param>
public readonly record struct CheckpointWritten(string FolderPath, long Step, long Sequence, long Bytes, TimeSpan Duration);
