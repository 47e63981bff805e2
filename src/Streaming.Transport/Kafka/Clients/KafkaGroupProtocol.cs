namespace Streaming.Transport.Kafka.Clients;

/// <summary>How members of a consumer group share partitions.</summary>
public enum KafkaGroupProtocol
{
    /// <summary>The members agree among themselves, and all stop for it. Any broker can do it.</summary>
    Classic,

    /// <summary>The broker moves single partitions (KIP-848). Needs Apache Kafka 4.0 or newer.</summary>
    Consumer,
}
