namespace Streaming.Lab.Feeds;

/// <summary>What a record of a feed is.</summary>
internal enum FeedKind
{
    /// <summary>An event of a user with an item.</summary>
    Interaction,

    /// <summary>A catalogue record.</summary>
    Item,

    /// <summary>Bytes that are no event, as a broken producer would send them.</summary>
    Malformed,
}
