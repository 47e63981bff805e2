using Streaming.Serving.Filters;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Which items are ranked, how, and how many are wanted.</summary>
public record ItemQuery
{
    /// <summary>Gets the width of the vectors: for recommendations one of the model's, otherwise 1 … the index's.</summary>
    public required int Width { get; init; }

    /// <summary>Gets the items to choose from, for an answer that needs several calls of one generation. Default null: the index's
    /// current ones.</summary>
    public IndexView? View { get; init; }

    /// <summary>Gets the maximum number of items, 1 and up. Default 20.</summary>
    public int Count { get; init; } = 20;

    /// <summary>Gets ids to exclude.</summary>
    public IReadOnlyCollection<string> Exclude { get; init; } = [];

    /// <summary>Gets a value indicating whether items are ranked by counts as well as by the vector, where the trainer publishes them
    /// (<c>STREAMING__Training__Counts__Published</c>). Default true; false: by the vector alone.</summary>
    public bool Counts { get; init; } = true;

    /// <summary>Gets the number of items that a first pass at a narrow width keeps for ranking. Default 0: the search is exact.</summary>
    public int Shortlist { get; init; }

    /// <summary>Gets the width of the first pass. Default 0: <see cref="IndexView.Narrow"/>.</summary>
    public int Narrow { get; init; }

    /// <summary>Gets which items may be recommended; the answer is the best of them. Default null: all.</summary>
    public ItemFilter? Filter { get; init; }

    /// <summary>Gets what raises or lowers the scores of some items: the cosines or inner products of a ranking by vector, the sums of
    /// reciprocal ranks of a fused one, whose candidates are chosen before. Default: nothing.</summary>
    public IReadOnlyList<ItemBoost> Boosts { get; init; } = [];

    /// <summary>Gets how many items may have the same value of an attribute. Default null: any number.</summary>
    public ItemDiversity? Diversity { get; init; }
}
