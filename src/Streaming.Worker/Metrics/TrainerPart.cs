namespace Streaming.Worker.Metrics;

/// <summary>What the training thread spends its time on.</summary>
public enum TrainerPart
{
    /// <summary>Waiting for a batch.</summary>
    Waiting,

    /// <summary>Ranking the batch's items before they are learned.</summary>
    Scoring,

    /// <summary>Counting the events, and drawing replay and negatives.</summary>
    Assembly,

    /// <summary>The engine's step.</summary>
    Step,

    /// <summary>Taking snapshots for checkpoints; they are written by another thread.</summary>
    Checkpoint,

    /// <summary>Collecting what events changed, for the publisher.</summary>
    Publishing,

    /// <summary>Copying items of the catalogue that are due, and posting those that moved.</summary>
    Upkeep,

    /// <summary>Agreeing with other ranks, and merging their batches.</summary>
    Ranks,
}
