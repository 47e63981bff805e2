namespace Streaming.Learning.Checkpoints;

/// <summary>
/// Prevents a trainer that was suspended and replaced from presenting its old state as the newest: its checkpoints sort below
/// those of every greater token, and it is asked whether it may still write before a checkpoint becomes visible.
/// </summary>
/// <param name="Token">Fencing token of the trainer; 0 when only one trainer is possible.</param>
/// <param name="MayWrite">Returns whether, as far as is known, no other trainer has taken over. Called on the writing thread.</param>
public sealed record CheckpointFence(uint Token, Func<bool> MayWrite)
{
    /// <summary>Gets the fence of a sole trainer.</summary>
    public static CheckpointFence None { get; } = new(0, static () => true);
}
