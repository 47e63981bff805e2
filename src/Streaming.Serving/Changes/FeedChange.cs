namespace Streaming.Serving.Changes;

/// <summary>One change of the store.</summary>
/// <param name="Id">The item.</param>
/// <param name="Generation">Generation it was written in.</param>
/// <param name="Token">Fencing token of the trainer that wrote it.</param>
/// <param name="Step">Training step after which it was encoded.</param>
/// <param name="IsRemoved">Whether the item was removed.</param>
public readonly record struct FeedChange(string Id, uint Generation, uint Token, long Step, bool IsRemoved)
{
    /// <summary>Gets a number that differs when embedding or facts of the item do, at the same token and step; 0: not told.</summary>
    public uint Check { get; init; }
}
