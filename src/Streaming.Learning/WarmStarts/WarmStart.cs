namespace Streaming.Learning.WarmStarts;

/// <summary>What a model has taken over from another.</summary>
/// <param name="Taken">What fitted, in words.</param>
/// <param name="Left">What did not and begins afresh, in words.</param>
public sealed record WarmStart(IReadOnlyList<string> Taken, IReadOnlyList<string> Left)
{
    /// <inheritdoc/>
    public override string ToString() => $"taken over: {string.Join(", ", Taken)}{(Left.Count == 0 ? string.Empty : $"; afresh: {string.Join(", ", Left)}")}";
}
