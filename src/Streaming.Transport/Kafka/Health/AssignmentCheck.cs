namespace Streaming.Transport.Kafka.Health;

/// <summary>Says which partitions of a group's topic this worker does not get, once that has lasted longer than a rebalance.</summary>
/// <param name="topic">The topic.</param>
/// <param name="groupId">The group.</param>
/// <param name="patience">How long partitions may be missing: the session timeout, after which a dead member's are given away.</param>
/// <param name="countOthers">Counts the other members that hold partitions of the topic; null: not known.</param>
/// <param name="time">The clock.</param>
internal sealed class AssignmentCheck(string topic, string groupId, TimeSpan patience, Func<Task<int?>> countOthers, TimeProvider time)
{
    private long? _since;
    private Task<int?>? _counting;
    private int? _others;

    /// <summary>Takes note of how many partitions are assigned.</summary>
    /// <returns>What is wrong; empty: nothing.</returns>
    public string Update(int assigned, int partitions)
    {
        if (assigned >= partitions)
        {
            _since = null;
            _others = null;
            return string.Empty;
        }

        _since ??= time.GetTimestamp();
        TimeSpan lasted = time.GetElapsedTime(_since.Value);
        if (lasted < patience)
        {
            return string.Empty;
        }

        CountOthers();
        string who = _others switch
        {
            null => string.Empty,
            0 => "; no other member holds any",
            1 => "; another member of the group reads the rest: its events are not in this model",
            _ => $"; {_others} other members of the group read the rest: their events are not in this model",
        };
        return $"{(assigned == 0 ? "no partition" : $"only {assigned} of {partitions} partitions")} of topic '{topic}' assigned by "
            + $"group '{groupId}'{who}";
    }

    // One question at a time, and its answer is used by a later call: nobody waits.
    private void CountOthers()
    {
        if (_counting is { IsCompleted: true } done)
        {
            _others = done.IsCompletedSuccessfully ? done.Result : null;
            _counting = null;
        }

        _counting ??= countOthers();
    }
}
