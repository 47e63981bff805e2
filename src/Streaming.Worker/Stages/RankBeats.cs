namespace Streaming.Worker.Stages;

/// <summary>Which ranks have told nothing new for a while, by this process's clock.</summary>
/// <param name="ranks">Number of ranks.</param>
/// <param name="time">Clock.</param>
internal sealed class RankBeats(int ranks, TimeProvider time)
{
    private readonly RankBeat[] _last = new RankBeat[ranks];
    private readonly long[] _since = [.. Enumerable.Repeat(time.GetTimestamp(), ranks)];

    /// <summary>Forgets: in the meantime nobody could tell anything.</summary>
    public void Clear() => Array.Fill(_since, time.GetTimestamp());

    /// <summary>Takes what the ranks have told by now.</summary>
    /// <param name="told">At most one of each rank; what a previous process has left does not change, and counts as silence.</param>
    /// <param name="limit">How long a rank may be silent.</param>
    /// <returns>The ranks that have been silent for longer.</returns>
    public string[] Silent(IReadOnlyList<RankBeat> told, TimeSpan limit)
    {
        foreach (RankBeat beat in told)
        {
            if (beat != _last[beat.Rank])
            {
                (_last[beat.Rank], _since[beat.Rank]) = (beat, time.GetTimestamp());
            }
        }

        return
        [
            .. Enumerable
                .Range(0, ranks)
                .Where(rank => time.GetElapsedTime(_since[rank]) > limit)
                .Select(rank => _last[rank].Process is null ? $"rank {rank}" : _last[rank].Name),
        ];
    }
}
