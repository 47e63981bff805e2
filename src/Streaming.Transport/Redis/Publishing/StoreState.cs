namespace Streaming.Transport.Redis.Publishing;

/// <summary>What a publisher found in the store when it opened it.</summary>
public enum StoreState
{
    /// <summary>Everything published before.</summary>
    Kept,

    /// <summary>Nothing, or only a part: every item must be published.</summary>
    Empty,

    /// <summary>Acknowledged writes are missing after a failover: every item must be published.</summary>
    WritesLost,
}
