namespace Streaming.Learning.Items;

/// <summary>Counters of a table's items since its creation.</summary>
public record struct ItemTableCounters
{
    /// <summary>Items that were given a row.</summary>
    public long Admitted { get; set; }

    /// <summary>Items that lost their row to another.</summary>
    public long EvictedByCapacity { get; set; }

    /// <summary>Items that lost their row because they had no event for too long.</summary>
    public long EvictedByAge { get; set; }

    /// <summary>Items that the catalogue removed.</summary>
    public long Removed { get; set; }

    /// <summary>Catalogue records that were applied.</summary>
    public long RecordsApplied { get; set; }

    /// <summary>Catalogue records that were rejected: a feature group of the wrong length or a value that is not finite.</summary>
    public long RecordsRejected { get; set; }
}
