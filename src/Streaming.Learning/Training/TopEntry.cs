namespace Streaming.Learning.Training;

/// <summary>An item of a list of the best.</summary>
/// <param name="Key">The item's key.</param>
/// <param name="Score">Its score.</param>
internal readonly record struct TopEntry(ulong Key, float Score);
