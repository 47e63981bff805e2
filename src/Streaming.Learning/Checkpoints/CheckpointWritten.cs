namespace Streaming.Learning.Checkpoints;

/// <summary>A checkpoint that is on disk.</summary>
/// <param name="FolderPath">Its folder.</param>
/// <param name="Step">Steps that the model had done.</param>
/// <param name="Sequence">Last batch that it contains.</param>
/// <param name="Bytes">Size of all files.</param>
/// <param name="Duration">Time that writing took.</param>
public readonly record struct CheckpointWritten(string FolderPath, long Step, long Sequence, long Bytes, TimeSpan Duration);
