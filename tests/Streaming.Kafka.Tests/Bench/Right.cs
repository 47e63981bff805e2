namespace Streaming.Kafka.Tests.Bench;

/// <summary>A right that a worker needs.</summary>
public enum Right
{
    /// <summary>Read the events topic.</summary>
    Events,

    /// <summary>Read the catalogue topic.</summary>
    Items,

    /// <summary>Join the consumer group, and commit for it.</summary>
    Group,

    /// <summary>Write to the dead-letter topic.</summary>
    DeadLetters,
}
