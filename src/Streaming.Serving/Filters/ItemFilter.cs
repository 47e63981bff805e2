namespace Streaming.Serving.Filters;

/// <summary>Which items may be in an answer: those that meet all of <see cref="Must"/>, at least one of <see cref="Any"/> where there are
/// some, and none of <see cref="Not"/>.</summary>
/// <example>
/// <code>
/// ItemFilter filter = new() { Must = [ItemCondition.Parse("category:shoes|boots"), ItemCondition.Parse("price:..50")],
///                             Not = [ItemCondition.Parse("tags:sale")] };
/// </code>
/// </example>
public sealed record ItemFilter
{
    /// <summary>The most conditions of a filter.</summary>
    public const int MaxConditions = 64;

    /// <summary>Gets the conditions that all must hold.</summary>
    public IReadOnlyList<ItemCondition> Must { get; init; } = [];

    /// <summary>Gets the conditions of which at least one must hold; none: no such restriction.</summary>
    public IReadOnlyList<ItemCondition> Any { get; init; } = [];

    /// <summary>Gets the conditions of which none may hold. An item without a value of the field is admitted.</summary>
    public IReadOnlyList<ItemCondition> Not { get; init; } = [];

    /// <summary>Gets a value indicating whether it admits every item.</summary>
    public bool IsEmpty => Must.Count + Any.Count + Not.Count == 0;
}
