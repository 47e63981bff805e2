using Streaming.Serving.Filters;

namespace Streaming.Serving.Search;

/// <summary>Parameters of a search.</summary>
public readonly record struct SearchOptions
{
    /// <summary>Gets the width of the ranking, 1 … the view's.</summary>
    public required int Width { get; init; }

    /// <summary>Gets a value indicating whether scores are divided by the norm of the item's prefix.</summary>
    public bool Cosine { get; init; }

    /// <summary>Gets the number of items that a first pass at a narrow width keeps for ranking. Default 0: no first pass, the
    /// search is exact.</summary>
    public int Shortlist { get; init; }

    /// <summary>Gets the width of the first pass, up to <see cref="Width"/>. Default 0: <see cref="IndexView.Narrow"/>.</summary>
    public int Narrow { get; init; }

    /// <summary>Gets a value indicating whether every item is looked at, also where the index has a graph that could answer. Default
    /// false.</summary>
    public bool Exact { get; init; }

    /// <summary>Gets which items may be found. Default null: all.</summary>
    public ItemFilter? Filter { get; init; }

    /// <summary>Gets what raises or lowers the scores of some items. Default null: nothing.</summary>
    public IReadOnlyList<ItemBoost>? Boosts { get; init; }

    /// <summary>Gets a condition that no item found may meet.</summary>
    internal RowCondition? Without { get; init; }
}
