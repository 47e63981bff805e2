namespace Streaming.Learning.WarmStarts;

/// <summary>Which parts of another model's state a model has adopted.</summary>
/// <param name="Taken">The adopted parts, in words.</param>
/// <param name="Left">The parts that were not adopted, in words.</param>
public sealed record WarmStart(IReadOnlyList<string> Taken, IReadOnlyList<string> Left)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"adopted: {string.Join(", ", Taken)}{(Left.Count == 0 ? string.Empty : $"; new: {string.Join(", ", Left)}")}";
}
