namespace Streaming.Core.Positions;

/// <summary>The live positions: for each partition ever read, the first record that has not taken effect.</summary>
/// <remarks>A revoked partition keeps its position: if it is assigned again, reading resumes there.</remarks>
public sealed class StreamPositions
{
    private readonly string[] _topics;
    private readonly string?[] _ids;
    private readonly long[][] _next;

    /// <summary>Creates the positions.</summary>
    /// <param name="topics">The topics; methods identify a topic by its index here.</param>
    /// <param name="start">The initial positions; those of other topics are ignored.</param>
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

    /// <summary>Gets the next offset of a partition, or -1 when unknown.</summary>
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

    /// <summary>Sets the id of the topic that the positions belong to.</summary>
    public void Identify(int topic, string id) => _ids[topic] = id;

    /// <summary>Discards a topic's positions after the topic was replaced.</summary>
    /// <param name="topic">Index of the topic.</param>
    /// <param name="id">Id of the new topic of that name.</param>
    public void Restart(int topic, string id)
    {
        _next[topic] = [];
        _ids[topic] = id;
    }

    /// <summary>Gets the highest partition with a position plus one: the minimum partition count of the topic. 0: none known.</summary>
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
