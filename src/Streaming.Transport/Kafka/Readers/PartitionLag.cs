namespace Streaming.Transport.Kafka.Readers;

/// <summary>The consumer lag of a partition.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Partition">Partition number.</param>
/// <param name="Records">Records from the live position to the last known end offset; -1 if no end is known yet.</param>
public readonly record struct PartitionLag(string Topic, int Partition, long Records);
