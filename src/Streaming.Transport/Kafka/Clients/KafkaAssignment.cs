namespace Streaming.Transport.Kafka.Clients;

/// <summary>Who says which partitions this worker reads.</summary>
public enum KafkaAssignment
{
    /// <summary>The consumer group: partitions come and go as other members of the group join and leave.</summary>
    Group,

    /// <summary>This worker reads all partitions, and looks for new ones; no rebalance ever stops it.</summary>
    Static,
}
