namespace Streaming.Learning.Checkpoints;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its size; 0 when it is missing.</param>
/// <param name="Problem">What is wrong with it; empty when it matches its checksum.</param>
public sealed record CheckpointFile(string Name, long Bytes, string Problem);
