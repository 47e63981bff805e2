namespace Streaming.Worker.Stages;

/// <summary>What the command line of `run` requests.</summary>
/// <param name="Generation">The generation to train; null: the one that readers use.</param>
/// <param name="From">A checkpoint, or a folder of them, that a model without one of its own starts from; null: none.</param>
public sealed record RunRequest(uint? Generation, string? From)
{
    /// <summary>Gets the request of a plain `run`.</summary>
    public static RunRequest Plain { get; } = new(null, null);
}
