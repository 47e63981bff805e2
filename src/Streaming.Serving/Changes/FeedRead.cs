namespace Streaming.Serving.Changes;

/// <summary>The result of a read of the change feed.</summary>
/// <param name="Changes">Number of changes added.</param>
/// <param name="HasGap">Whether changes were missed, because the feed was trimmed before they were read or the store was emptied:
/// anything built from the feed must be reloaded.</param>
/// <param name="HasMore">Whether more may be available at once.</param>
public readonly record struct FeedRead(int Changes, bool HasGap, bool HasMore);
