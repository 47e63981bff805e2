namespace Streaming.Transport.Kafka.Readers;

/// <summary>The partitions of a topic that one of N readers reads: those whose number modulo N is its own.</summary>
/// <param name="Index">Number of the reader, 0 … <paramref name="Count"/> − 1.</param>
/// <param name="Count">Readers, N, 1 and up.</param>
public readonly record struct PartitionShare(int Index, int Count)
{
    /// <summary>Gets the share of an only reader.</summary>
    public static PartitionShare All => new(0, 1);

    /// <summary>Whether a partition is read.</summary>
    public bool Has(int partition) => partition % Count == Index;

    /// <summary>How many of a topic's first partitions are read.</summary>
    /// <param name="partitions">The topic's number of partitions.</param>
    public int Of(int partitions) => Math.Max(0, (partitions - Index + Count - 1) / Count);
}
