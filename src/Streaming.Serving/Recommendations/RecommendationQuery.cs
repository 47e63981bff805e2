using Streaming.Serving.Search;

namespace Streaming.Serving.Recommendations;

/// <summary>What is asked of a recommender.</summary>
public sealed record RecommendationQuery
{
    /// <summary>Gets one of the model's widths.</summary>
    public required int Width { get; init; }

    /// <summary>Gets the most items, 1 and up. Default 20.</summary>
    public int Count { get; init; } = 20;

    /// <summary>Gets a value indicating whether what the user had is left out. Default true. Of a user that is what is published of it
    /// (the trainer's <c>Redis__UserItems</c>, the newest 50 events by default), of a list all of it.</summary>
    public bool ExcludeSeen { get; init; } = true;

    /// <summary>Gets ids that are left out besides.</summary>
    public IReadOnlyCollection<string> Exclude { get; init; } = [];

    /// <summary>Gets a value indicating whether items are ranked by counts as well as by the vector, where the trainer publishes them
    /// (<c>Training__Counts__Published</c>). Default true; false: by the vector alone.</summary>
    public bool Counts { get; init; } = true;

    /// <summary>Gets how many items a first pass at a narrow width keeps for the ranking. Default 0: the search is exact.</summary>
    public int Shortlist { get; init; }

    /// <summary>Gets the width of the first pass. Default 0: <see cref="IndexView.Narrow"/>.</summary>
    public int Narrow { get; init; }
}
