namespace Streaming.Lab.Feeds;

/// <summary>The kind of a feed record.</summary>
internal enum FeedKind
{
    /// <summary>A user's event with an item.</summary>
    Interaction,

    /// <summary>A catalogue record.</summary>
    Item,

    /// <summary>Bytes that are not an event, as from a broken producer.</summary>
    Malformed,
}
