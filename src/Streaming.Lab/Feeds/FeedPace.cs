namespace Streaming.Lab.Feeds;

/// <summary>How fast a feed is sent.</summary>
internal sealed record FeedPace
{
    /// <summary>Gets the most events a second; 0: no limit.</summary>
    public double Rate { get; init; }

    /// <summary>Gets how long to send.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.MaxValue;

    /// <summary>
    /// Gets how many events may be under way; 0: no limit. A producer that floods would measure the length of its own
    /// queue in the place of the pipeline's freshness.
    /// </summary>
    public int MostAhead { get; init; }

    /// <summary>Gets the number of events that the pipeline is done with.</summary>
    public Func<long> Consumed { get; init; } = static () => 0;
}
