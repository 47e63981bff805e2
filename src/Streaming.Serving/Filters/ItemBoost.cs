namespace Streaming.Serving.Filters;

/// <summary>Raises or lowers the items that meet a condition.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Factor">What a score is multiplied by: the cosine or inner product of a ranking by vector, the sum of reciprocal ranks of
/// a fused one. A negative score is divided by it, so that a factor above 1 always raises. 0.01 … 100; several boosts of an item
/// multiply.</param>
public sealed record ItemBoost(ItemCondition Condition, float Factor)
{
    /// <summary>The least factor.</summary>
    public const float MinFactor = 0.01f;

    /// <summary>The greatest factor.</summary>
    public const float MaxFactor = 100;
}
