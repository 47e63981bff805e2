namespace Streaming.Core.Events;

/// <summary>Number of records by outcome. Every record read is exactly one of trained, history only, dead-lettered and duplicate.</summary>
/// <remarks>Read = <see cref="Trained"/> + <see cref="HistoryOnly"/> + <see cref="DeadLettered"/> + <see cref="Duplicates"/>.</remarks>
public record struct EventCounts
{
    /// <summary>Records of the interactions topic that were read.</summary>
    public long Read { get; set; }

    /// <summary>Records that decoded and passed validation.</summary>
    public long Decoded { get; set; }

    /// <summary>Events that became a training example.</summary>
    public long Trained { get; set; }

    /// <summary>Events added to a history but not trained on: late ones, those of a type with weight 0, and <see cref="Shed"/>.</summary>
    public long HistoryOnly { get; set; }

    /// <summary>Of <see cref="HistoryOnly"/>: events not trained on because the trainer was too far behind.</summary>
    public long Shed { get; set; }

    /// <summary>Records sent to the dead-letter topic.</summary>
    public long DeadLettered { get; set; }

    /// <summary>Events dropped because their event id was seen within the dedup window.</summary>
    public long Duplicates { get; set; }

    /// <summary>Adds <paramref name="other"/> to this.</summary>
    public void Add(in EventCounts other)
    {
        Read += other.Read;
        Decoded += other.Decoded;
        Trained += other.Trained;
        HistoryOnly += other.HistoryOnly;
        Shed += other.Shed;
        DeadLettered += other.DeadLettered;
        Duplicates += other.Duplicates;
    }
}
