namespace Streaming.Kafka.Tests.Bench;

/// <summary>What a worker must be allowed to do.</summary>
public enum Right
{
    /// <summary>To read the topic of the events.</summary>
    Events,

    /// <summary>To read the topic of the catalogue.</summary>
    Items,

    /// <summary>To be in the consumer group, and to commit for it.</summary>
    Group,

    /// <summary>To write to the topic of dead letters.</summary>
    DeadLetters,
}
