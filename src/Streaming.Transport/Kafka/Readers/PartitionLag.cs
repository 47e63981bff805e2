namespace Streaming.Transport.Kafka.Readers;

/// <summary>How far the reading of a partition is behind its end.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Partition">Partition number.</param>
/// <param name="Records">Records from the live position to the end that the client last heard of; -1 while it has heard of none.</param>
public readonly record struct PartitionLag(string Topic, int Partition, long Records);
