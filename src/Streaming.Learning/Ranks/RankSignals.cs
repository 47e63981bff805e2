namespace Streaming.Learning.Ranks;

/// <summary>What a rank tells the others before each step.</summary>
[Flags]
public enum RankSignals
{
    /// <summary>It has nothing now.</summary>
    None = 0,

    /// <summary>It has a batch, and takes part in the next step with it. Ranks without one take part with none: nobody waits for the
    /// events of others.</summary>
    HasBatch = 1,

    /// <summary>It was told to stop: all ranks stop reading and drain.</summary>
    Stops = 1 << 1,

    /// <summary>It has read all that it will ever read, and handed it over.</summary>
    IsAtEnd = 1 << 2,

    /// <summary>It has read its part of the catalogue, which comes before the events of any rank.</summary>
    HasCatalogue = 1 << 3,

    /// <summary>A checkpoint is due. Only rank 0 decides.</summary>
    WantsCheckpoint = 1 << 4,

    /// <summary>It holds an ingestion snapshot as of the last batch that it handed over, and hands over none until all ranks hold
    /// one.</summary>
    HoldsSnapshot = 1 << 5,

    /// <summary>It is writing its part of a checkpoint, or waits for the others to have written theirs.</summary>
    IsWriting = 1 << 6,

    /// <summary>It has written its part, or failed to: the report beside its files says which.</summary>
    HasWritten = 1 << 7,

    /// <summary>Rank 0 has committed the checkpoint of which all ranks have written their parts.</summary>
    HasCommitted = 1 << 8,

    /// <summary>Rank 0 has given the checkpoint up.</summary>
    HasGivenUp = 1 << 9,

    /// <summary>Its last records could not be handed over (their dead letters were not taken): there is no further checkpoint, and
    /// these records are read again.</summary>
    CannotHold = 1 << 10,

    /// <summary>It found that the store has lost data: every rank publishes all of its items again.</summary>
    Republishes = 1 << 11,
}
