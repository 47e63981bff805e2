namespace Streaming.Transport;

/// <summary>What a publisher found when it opened the store.</summary>
public enum StoreState
{
    /// <summary>What was published before is still there.</summary>
    Kept,

    /// <summary>Nothing, or only a part: every item has to be published.</summary>
    Empty,
}
