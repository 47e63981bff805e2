namespace Streaming.Lab.Feeds;

/// <summary>Records in production order.</summary>
internal abstract class EventFeed
{
    /// <summary>No text or features.</summary>
    protected static readonly IReadOnlyDictionary<string, string> NoText = new Dictionary<string, string>();

    /// <summary>No features.</summary>
    protected static readonly IReadOnlyDictionary<string, float[]> NoFeatures = new Dictionary<string, float[]>();

    /// <summary>Gets the number of interaction records to come, or null if unbounded.</summary>
    public abstract long? Count { get; }

    /// <summary>Gets a one-line description.</summary>
    public abstract string Description { get; }

    /// <summary>Returns the next record.</summary>
    /// <returns>False at the end.</returns>
    public abstract bool TryNext(out FeedRecord record);

    /// <summary>Returns an item's display title, or null.</summary>
    public abstract string? TitleOf(string item);
}
