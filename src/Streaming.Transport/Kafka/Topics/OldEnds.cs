using Streaming.Core.Positions;

namespace Streaming.Transport.Kafka.Topics;

/// <summary>Remembers where a topic ended, so that what was unread of it can be counted once it is gone.</summary>
/// <param name="topic">The topic.</param>
/// <param name="known">Ends that are known from before.</param>
internal sealed class OldEnds(string topic, IReadOnlyList<StreamPosition> known)
{
    private List<StreamPosition> _candidate = [];
    private long _confirmedBy = long.MaxValue;

    /// <summary>Gets the ends that surely are those of the topic with the id that they carry.</summary>
    public IReadOnlyList<StreamPosition> Confirmed { get; private set; } = known;

    /// <summary>Takes note of the ends that the client knows. They may be those of a topic that has taken the name, so they count
    /// once a look that began later has seen the same topic.</summary>
    /// <param name="look">Number of the look that has seen the topic.</param>
    /// <param name="next">Number of the next look.</param>
    /// <param name="ends">The ends as the client knows them now.</param>
    /// <param name="id">Id of the topic that was seen.</param>
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

    /// <summary>Finds the last known end of a partition.</summary>
    public bool TryGet(int partition, string? id, out long end)
    {
        StreamPosition found = Confirmed.FirstOrDefault(position => position.Topic == topic && position.Partition == partition && position.TopicId == id);
        end = found.NextOffset;
        return found.Topic is not null;
    }
}
