namespace Streaming.Core.Positions;

/// <summary>The live positions: of each partition ever read, the first record that has not had its effect.</summary>
/// <remarks>A partition that was taken away keeps its position: should it come back, reading goes on there.</remarks>
public sealed class StreamPositions
{
    private readonly string[] _topics;
    private readonly string?[] _ids;
    private readonly long[][] _next;

    /// <summary>Creates the positions.</summary>
    /// <param name="topics">The topics; their order gives the number by which they are called here.</param>
    /// <param name="start">Where to begin; other topics are left out.</param>
    public StreamPositions(IReadOnlyList<string> topics, IEnumerable<StreamPosition> start)
    {
        ArgumentNullException.ThrowIfNull(topics);
        ArgumentNullException.ThrowIfNull(start);
        _topics = [.. topics];
        _ids = new string?[_topics.Length];
        _next = Array.ConvertAll(_topics, static _ => Array.Empty<long>());
        foreach (StreamPosition position in start)
        {
            int topic = Array.IndexOf(_topics, position.Topic);
            if (topic >= 0)
            {
                Set(topic, position.Partition, position.NextOffset);
                _ids[topic] ??= position.TopicId;
            }
        }
    }

    /// <summary>Gets the next offset of a partition, or -1 when nothing is known of it.</summary>
    public long this[int topic, int partition] => (uint)partition < (uint)_next[topic].Length ? _next[topic][partition] : -1;

    /// <summary>Sets the next offset of a partition.</summary>
    public void Set(int topic, int partition, long nextOffset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(partition, 1_000_000);
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        if (partition >= _next[topic].Length)
        {
            int known = _next[topic].Length;
            Array.Resize(ref _next[topic], partition + 1);
            _next[topic].AsSpan(known).Fill(-1);
        }

        _next[topic][partition] = nextOffset;
    }

    /// <summary>Gets the id of the topic that the positions belong to; null: unknown.</summary>
    public string? TopicId(int topic) => _ids[topic];

    /// <summary>Says which topic the positions belong to.</summary>
    public void Identify(int topic, string id) => _ids[topic] = id;

    /// <summary>Forgets a topic's positions, because the topic that they belong to is gone.</summary>
    /// <param name="topic">Number of the topic.</param>
    /// <param name="id">Id of the topic that has taken its name.</param>
    public void Restart(int topic, string id)
    {
        _next[topic] = [];
        _ids[topic] = id;
    }

    /// <summary>Gets the highest partition with a position plus one: how many partitions the topic must have. 0: none is known.</summary>
    public int PartitionCount(int topic) => _next[topic].Length;

    /// <summary>Writes all known positions to <paramref name="destination"/>.</summary>
    public void CopyTo(List<StreamPosition> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        for (int topic = 0; topic < _topics.Length; topic++)
        {
            long[] next = _next[topic];
            for (int partition = 0; partition < next.Length; partition++)
            {
                if (next[partition] >= 0)
                {
                    destination.Add(new StreamPosition(_topics[topic], partition, next[partition], _ids[topic]));
                }
            }
        }
    }
}
