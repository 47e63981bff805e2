namespace Streaming.Lab.Demo.Report;

/// <summary>Baselines on the same examples. Null if nothing is counted (STREAMING__Training__Counts__MaxBytes=0).</summary>
internal sealed record Baselines(Quality RecentPopularity)
{
    /// <summary>Gets item-to-item collaborative filtering by cosine.</summary>
    public Quality? ItemKnn { get; init; }

    /// <summary>Gets transitions from the user's last item.</summary>
    public Quality? Markov { get; init; }

    /// <summary>Gets the sum of both, each divided by its maximum.</summary>
    public Quality? KnnAndMarkov { get; init; }

    /// <summary>Gets the user's own items, most recent first.</summary>
    public Quality? OwnLatest { get; init; }

    /// <summary>Gets the name of the method with the best Recall@20 of new items.</summary>
    public string Strongest => All().MaxBy(static method => method.Quality.NewItemsRecall20).Name;

    /// <summary>Returns all of them, by name.</summary>
    public IEnumerable<(string Name, Quality Quality)> All()
    {
        yield return ("recent popularity", RecentPopularity);
        foreach (
            (string name, Quality? quality) in ((string, Quality?)[])
                [("item-kNN", ItemKnn), ("Markov", Markov), ("item-kNN + Markov", KnnAndMarkov), ("own latest", OwnLatest)]
        )
        {
            if (quality is not null)
            {
                yield return (name, quality);
            }
        }
    }
}
