namespace Streaming.Transport;

/// <summary>What can happen on the way to Redis.</summary>
public enum PublishIncidentKind
{
    /// <summary>Redis did not take some items; they wait and are tried again.</summary>
    Failed,

    /// <summary>Redis is out of memory (OOM replies); the items wait and are tried again.</summary>
    OutOfMemory,

    /// <summary>Redis takes items again.</summary>
    Recovered,

    /// <summary>The store has lost what was in it: every item has to be published again.</summary>
    StoreEmpty,

    /// <summary>Vectors that are not finite, or too large for the element type, were left out.</summary>
    Rejected,
}
