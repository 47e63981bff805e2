namespace Streaming.Transport.Redis.Publishing;

/// <summary>Incidents while publishing to Redis.</summary>
public enum PublishIncidentKind
{
    /// <summary>Redis did not take some items; they are queued and retried.</summary>
    Failed,

    /// <summary>Redis is out of memory (OOM replies); the items are queued and retried.</summary>
    OutOfMemory,

    /// <summary>Redis accepts items again.</summary>
    Recovered,

    /// <summary>The store has lost its data: every item must be published again.</summary>
    StoreEmpty,

    /// <summary>A failover has lost acknowledged writes: every item must be published again.</summary>
    WritesLost,

    /// <summary>No replica has confirmed the fences; see <see cref="EmbeddingPublisher.OpenAsync"/>.</summary>
    Unconfirmed,

    /// <summary>The fence or the change feed of a partition has the wrong type; its items are queued and retried.</summary>
    WrongType,

    /// <summary>A key that readers need was missing and has been rewritten.</summary>
    Restored,

    /// <summary>Vectors were skipped because they cannot be stored, at most one incident for each <see cref="VectorFault"/> and
    /// minute.</summary>
    Rejected,
}
