namespace Streaming.Transport.Redis.Publishing;

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

    /// <summary>A fail-over has lost writes that Redis had answered: every item has to be published again.</summary>
    WritesLost,

    /// <summary>No replica has confirmed the fences; see <see cref="EmbeddingPublisher.OpenAsync"/>.</summary>
    Unconfirmed,

    /// <summary>Keys of another type are in the way of some items, which were left out.</summary>
    WrongType,

    /// <summary>A key that readers need was gone and has been written again.</summary>
    Restored,

    /// <summary>Vectors that are not finite, or too large for the element type, were left out.</summary>
    Rejected,
}
