namespace Streaming.Learning.Ranks;

/// <summary>
/// What all ranks do next: a pure function of what each has told, so that all decide the same. Nobody waits for the events of another
/// rank, and nobody leaves while one has work.
/// </summary>
/// <param name="Steps">Merge the batches and train on them.</param>
/// <param name="Stops">Stop reading; what has been read is trained on.</param>
/// <param name="ReadsEvents">Every rank has read its part of the catalogue: events may be handed over.</param>
/// <param name="AsksCheckpoint">Ask ingestion for a snapshot at the end of its next batch.</param>
/// <param name="TakesCheckpoint">Every rank holds a snapshot of its ingestion, and the trainers are as of these: write them.</param>
/// <param name="Releases">No checkpoint can be taken any more: snapshots that are held are dropped, and nobody waits for them.</param>
/// <param name="Commits">Every rank has written its part: rank 0 commits.</param>
/// <param name="IsCommitted">The checkpoint holds.</param>
/// <param name="IsGivenUp">The checkpoint could not be written.</param>
/// <param name="Republishes">Publish everything again: the store has lost data.</param>
/// <param name="Ends">Every rank is done.</param>
public readonly record struct Pace(
    bool Steps,
    bool Stops,
    bool ReadsEvents,
    bool AsksCheckpoint,
    bool TakesCheckpoint,
    bool Releases,
    bool Commits,
    bool IsCommitted,
    bool IsGivenUp,
    bool Republishes,
    bool Ends
)
{
    /// <summary>Decides.</summary>
    /// <param name="ranks">What each rank told, in rank order; one at least.</param>
    public static Pace Of(ReadOnlySpan<RankSignals> ranks)
    {
        ArgumentOutOfRangeException.ThrowIfZero(ranks.Length, nameof(ranks));
        RankSignals any = RankSignals.None,
            all = ~RankSignals.None;
        foreach (RankSignals rank in ranks)
        {
            any |= rank;
            all &= rank;
        }

        bool isWriting = any.HasFlag(RankSignals.IsWriting),
            isHeld = any.HasFlag(RankSignals.HoldsSnapshot),
            areHeld = all.HasFlag(RankSignals.HoldsSnapshot),
            isOff = any.HasFlag(RankSignals.CannotHold),
            isOver = any.HasFlag(RankSignals.HasCommitted) || any.HasFlag(RankSignals.HasGivenUp);
        bool steps = any.HasFlag(RankSignals.HasBatch);

        return new Pace(
            Steps: steps,
            Stops: any.HasFlag(RankSignals.Stops),
            ReadsEvents: all.HasFlag(RankSignals.HasCatalogue),
            AsksCheckpoint: !isOff && !areHeld && !isWriting && (isHeld || any.HasFlag(RankSignals.WantsCheckpoint)),
            TakesCheckpoint: !isOff && areHeld && !isWriting && !steps,
            Releases: isOff,
            Commits: all.HasFlag(RankSignals.HasWritten) && !isOver,
            IsCommitted: any.HasFlag(RankSignals.HasCommitted),
            IsGivenUp: any.HasFlag(RankSignals.HasGivenUp),
            Republishes: any.HasFlag(RankSignals.Republishes),
            Ends: all.HasFlag(RankSignals.IsAtEnd) && !steps && !isWriting && (isOff || !isHeld)
        );
    }
}
