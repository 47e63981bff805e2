namespace Streaming.Core.Positions;

/// <summary>The next offset to read from a partition: every record below <see cref="NextOffset"/> has taken effect.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Partition">Partition number, 0 and up.</param>
/// <param name="NextOffset">Offset of the first unread record.</param>
/// <param name="TopicId">Id of the topic the offset belongs to, assigned by the cluster on creation: a topic that is deleted and
/// recreated keeps only its name. Null: unknown.</param>
public readonly record struct StreamPosition(string Topic, int Partition, long NextOffset, string? TopicId = null);
