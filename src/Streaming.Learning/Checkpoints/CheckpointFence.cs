namespace Streaming.Learning.Checkpoints;

/// <summary>
/// What keeps a trainer that was frozen and replaced from passing its old state off as the newest: its checkpoints sort
/// below those of every greater token, and it is asked whether it may still write before one becomes visible.
/// </summary>
/// <param name="Token">Fencing token of the trainer; 0 where only one can be.</param>
/// <param name="MayWrite">Whether no other has taken over, as far as can be known. Called on the writing thread.</param>
public sealed record CheckpointFence(uint Token, Func<bool> MayWrite)
{
    /// <summary>Gets the fence of a trainer that is the only one.</summary>
    public static CheckpointFence None { get; } = new(0, static () => true);
}
