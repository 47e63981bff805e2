namespace Streaming.Transport.Redis.Publishing;

/// <summary>What a publisher found when it opened the store.</summary>
public enum StoreState
{
    /// <summary>What was published before is still there.</summary>
    Kept,

    /// <summary>Nothing, or only a part: every item has to be published.</summary>
    Empty,

    /// <summary>Writes that this publisher had answers for are gone, after a fail-over: every item has to be published.</summary>
    WritesLost,
}
