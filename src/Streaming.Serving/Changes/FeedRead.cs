namespace Streaming.Serving.Changes;

/// <summary>What a look at the change feed brought.</summary>
/// <param name="Changes">How many changes were added.</param>
/// <param name="Gap">Whether changes were missed, because the feed was cut before they were read or the store was emptied:
/// whatever was built from the feed has to be loaded again.</param>
/// <param name="More">Whether there may be more to read at once.</param>
public readonly record struct FeedRead(int Changes, bool Gap, bool More);
