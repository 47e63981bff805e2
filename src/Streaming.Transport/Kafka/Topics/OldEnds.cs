using Streaming.Core.Positions;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Remembers a topic's end offsets, to count its unread records after it is deleted.</summary>
/// <param name="topic">The topic.</param>
/// <param name="known">Ends known from before.</param>
internal sealed class OldEnds(string topic, IReadOnlyList<StreamPosition> known)
{
    private List<StreamPosition> _candidate = [];
    private long _confirmedBy = long.MaxValue;

    /// <summary>Gets the ends that certainly belong to the topic with the id they carry.</summary>
    public IReadOnlyList<StreamPosition> Confirmed { get; private set; } = known;

    /// <summary>Records the ends that the client knows. They may belong to a recreated topic of the same name, so they count
    /// only after a later look has seen the same topic.</summary>
    /// <param name="look">Number of the look that saw the topic.</param>
    /// <param name="next">Number of the next look.</param>
    /// <param name="ends">The ends that the client currently knows.</param>
    /// <param name="id">Id of that topic.</param>
    public void Observe(long look, long next, IEnumerable<(int Partition, long End)> ends, string? id)
    {
        if (look < _confirmedBy && _confirmedBy != long.MaxValue)
        {
            return;
        }

        Confirmed = _confirmedBy == long.MaxValue ? Confirmed : _candidate;
        _candidate = [.. ends.Where(static end => end.End >= 0).Select(end => new StreamPosition(topic, end.Partition, end.End, id))];
        _confirmedBy = next;
    }

    /// <summary>Returns the last known end of a partition.</summary>
    public bool TryGet(int partition, string? id, out long end)
    {
        StreamPosition found = Confirmed.FirstOrDefault(position =>
            position.Topic == topic && position.Partition == partition && position.TopicId == id
        );
        end = found.NextOffset;
        return found.Topic is not null;
    }
}
