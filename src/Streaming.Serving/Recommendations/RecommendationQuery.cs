namespace Streaming.Serving.Recommendations;

/// <summary>Parameters of a recommendation.</summary>
public sealed record RecommendationQuery : ItemQuery
{
    /// <summary>Gets a value indicating whether to exclude items the user has interacted with. Default true. For a user, these are the
    /// published ones (the trainer's <c>STREAMING__Redis__UserItems</c>, by default the newest 50 events); for a list, all of it.</summary>
    public bool ExcludeSeen { get; init; } = true;

    /// <summary>Gets the ids of the user's newest items, oldest first, which may not be published yet: they continue the published history.
    /// Default none. For a user; a list of items is a session itself.</summary>
    public IReadOnlyList<string> Session { get; init; } = [];
}
