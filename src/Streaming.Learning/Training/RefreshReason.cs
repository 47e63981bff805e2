namespace Streaming.Learning.Training;

/// <summary>Why rows of the catalogue are looked at.</summary>
internal enum RefreshReason
{
    /// <summary>Training changed them as parts of histories or as candidates.</summary>
    Touched,

    /// <summary>It is their turn in the refresh interval: what differs from what was posted is posted.</summary>
    Turn,

    /// <summary>Ahead of their turn: what moved most is posted.</summary>
    Probe,

    /// <summary>All are posted, so that the store is compared with the model: expiry is extended, and values that were lost there are
    /// written again.</summary>
    Confirm,
}
