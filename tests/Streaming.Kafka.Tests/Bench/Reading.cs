namespace Streaming.Kafka.Tests.Bench;

/// <summary>How a worker is assigned its partitions.</summary>
public enum Reading
{
    /// <summary>It assigns itself all of them.</summary>
    Static,

    /// <summary>By a consumer group with the classic protocol.</summary>
    Classic,

    /// <summary>By a consumer group with the KIP-848 protocol.</summary>
    Consumer,
}
