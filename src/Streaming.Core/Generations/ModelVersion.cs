namespace Streaming.Core.Generations;

/// <summary>The version of a model's state.</summary>
/// <param name="Generation">Generation of the embedding space, 1 and up; vectors of different generations cannot be compared.</param>
/// <param name="Token">Fencing token of the trainer; 0 when there was none.</param>
/// <param name="Step">Number of training steps of the model.</param>
public readonly record struct ModelVersion(uint Generation, uint Token, long Step) : IComparable<ModelVersion>
{
    /// <summary>Whether the left version is older: by generation, then token, then step.</summary>
    public static bool operator <(ModelVersion left, ModelVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left version is newer: by generation, then token, then step.</summary>
    public static bool operator >(ModelVersion left, ModelVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left version is not newer.</summary>
    public static bool operator <=(ModelVersion left, ModelVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left version is not older.</summary>
    public static bool operator >=(ModelVersion left, ModelVersion right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public int CompareTo(ModelVersion other) => (Generation, Token, Step).CompareTo((other.Generation, other.Token, other.Step));

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"generation {Generation}, token {Token}, step {Step}");
}
