namespace Streaming.Lab.Feeds;

/// <summary>The rate at which a feed is sent.</summary>
internal sealed record FeedPace
{
    /// <summary>Gets the maximum events per second; 0: no limit.</summary>
    public double Rate { get; init; }

    /// <summary>Gets the maximum duration.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.MaxValue;

    /// <summary>
    /// Gets how many events may be in flight; 0: no limit. An unthrottled producer would measure its own
    /// queue instead of the pipeline's freshness.
    /// </summary>
    public int MostAhead { get; init; }

    /// <summary>Gets the number of events that the pipeline has finished.</summary>
    public Func<long> Consumed { get; init; } = static () => 0;
}
