using Streaming.Serving.Filters;
using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>Parameters of a recommendation.</summary>
public sealed record RecommendationQuery
{
    /// <summary>Gets one of the model's widths.</summary>
    public required int Width { get; init; }

    /// <summary>Gets the items to recommend from, for an answer that needs several calls of one generation. Default null: the index's
    /// current ones.</summary>
    public IndexView? View { get; init; }

    /// <summary>Gets the maximum number of items, 1 and up. Default 20.</summary>
    public int Count { get; init; } = 20;

    /// <summary>Gets a value indicating whether to exclude items the user has interacted with. Default true. For a user, these are the
    /// published ones (the trainer's <c>STREAMING__Redis__UserItems</c>, by default the newest 50 events); for a list, all of it.</summary>
    public bool ExcludeSeen { get; init; } = true;

    /// <summary>Gets the ids of the user's newest items, oldest first, which may not be published yet: they continue the published history.
    /// Default none. For a user; a list of items is a session itself.</summary>
    public IReadOnlyList<string> Session { get; init; } = [];

    /// <summary>Gets additional ids to exclude.</summary>
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
