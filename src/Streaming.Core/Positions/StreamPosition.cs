namespace Streaming.Core;

/// <summary>Where a partition is to be read next: every record below <see cref="NextOffset"/> has had its effect.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Partition">Partition number, 0 and up.</param>
/// <param name="NextOffset">Offset of the first record that has not been read.</param>
public readonly record struct StreamPosition(string Topic, int Partition, long NextOffset);
