namespace Streaming.Kafka.Tests.Bench;

/// <summary>How a worker gets its partitions.</summary>
public enum Reading
{
    /// <summary>It takes all of them.</summary>
    Static,

    /// <summary>A consumer group of the classic protocol gives them.</summary>
    Classic,

    /// <summary>A consumer group of the protocol of KIP-848 gives them.</summary>
    Consumer,
}
