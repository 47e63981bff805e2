namespace Streaming.Serving.Graphs;

/// <summary>Status of the approximate search.</summary>
public sealed record GraphStatus
{
    /// <summary>Gets the number of vectors in the graph; 0: there is none, and every search is exact.</summary>
    public int Vectors { get; init; }

    /// <summary>Gets the number of items that are searched exactly, because they were added or moved since the graph was built.</summary>
    public int Changed { get; init; }

    /// <summary>Gets the number of the graph's items that were removed since.</summary>
    public int Removed { get; init; }

    /// <summary>Gets the graph's size in memory, in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Gets a value indicating whether a graph is being built.</summary>
    public bool IsBuilding { get; init; }

    /// <summary>Gets the number of vectors in the graph that is being built.</summary>
    public int Added { get; init; }

    /// <summary>Gets the number of graphs built so far.</summary>
    public long Builds { get; init; }

    /// <summary>Gets the number of builds that failed.</summary>
    public long FailedBuilds { get; init; }

    /// <summary>Gets the time of the last build.</summary>
    public TimeSpan LastBuild { get; init; }

    /// <summary>Gets the time of all builds, failed ones included.</summary>
    public TimeSpan BuildTime { get; init; }

    /// <summary>Gets why the last build failed; null when it succeeded. The next attempt follows after a minute.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the number of searches that a graph answered.</summary>
    public long Searches { get; init; }

    /// <summary>Gets the number of searches that a graph began and that were then made exactly: fewer of its candidates passed the filter
    /// than were asked for.</summary>
    public long Fallbacks { get; init; }
}
