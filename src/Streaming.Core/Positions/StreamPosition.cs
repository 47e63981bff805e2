namespace Streaming.Core.Positions;

/// <summary>Where a partition is to be read next: every record below <see cref="NextOffset"/> has had its effect.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Partition">Partition number, 0 and up.</param>
/// <param name="NextOffset">Offset of the first record that has not been read.</param>
/// <param name="TopicId">Id of the topic that the offset belongs to, as the cluster gave it when the topic was created: a topic that
/// is deleted and created anew keeps its name only. Null: unknown.</param>
public readonly record struct StreamPosition(string Topic, int Partition, long NextOffset, string? TopicId = null);
