namespace Streaming.Learning.Checkpoints;

/// <summary>A file of a checkpoint that is on disk.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its checksum, lower-case hex.</param>
internal sealed record WrittenFile(string Name, long Bytes, string Sha256);
