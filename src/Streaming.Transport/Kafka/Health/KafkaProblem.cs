namespace Streaming.Transport.Kafka.Health;

/// <summary>What may be wrong with Kafka, each by itself.</summary>
public enum KafkaProblem
{
    /// <summary>No broker can be reached, or every one refuses the connection.</summary>
    Unavailable,

    /// <summary>The topic of the events is missing, refused, or has partitions without a leader.</summary>
    InteractionsTopic,

    /// <summary>The topic of the catalogue is missing, refused, or has partitions without a leader.</summary>
    ItemsTopic,

    /// <summary>The consumer group is refused.</summary>
    Group,

    /// <summary>Partitions are not assigned to this worker.</summary>
    Assignment,

    /// <summary>Records at a position are gone, and what is left of the partition is not known yet.</summary>
    Position,

    /// <summary>Dead letters are not delivered.</summary>
    DeadLetters,

    /// <summary>Of the newest events more than allowed, or all, are dead letters.</summary>
    RejectedEvents,

    /// <summary>Of the newest catalogue records more than allowed, or all, are dead letters.</summary>
    RejectedItems,

    /// <summary>The schema registry does not answer, and records wait for a schema.</summary>
    Registry,
}
