namespace Streaming.Lab.Feeds;

/// <summary>Records in the order in which they are to be produced.</summary>
internal abstract class EventFeed
{
    /// <summary>No text or features.</summary>
    protected static readonly IReadOnlyDictionary<string, string> NoText = new Dictionary<string, string>();

    /// <summary>No features.</summary>
    protected static readonly IReadOnlyDictionary<string, float[]> NoFeatures = new Dictionary<string, float[]>();

    /// <summary>Gets the number of interaction records that will come, or null when there is no end.</summary>
    public abstract long? Count { get; }

    /// <summary>Gets one line about the feed, for people.</summary>
    public abstract string Description { get; }

    /// <summary>Takes the next record.</summary>
    /// <returns>False at the end.</returns>
    public abstract bool TryNext(out FeedRecord record);

    /// <summary>A title for people, where one is known.</summary>
    public abstract string? TitleOf(string item);
}
