using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Records;

namespace Streaming.Transport.Kafka;

/// <summary>How reading is going, as of the last second.</summary>
/// <param name="Problems">What is wrong now, with the words for it.</param>
/// <param name="IsPaused">Whether the trainer is behind, so that no events are fetched.</param>
/// <param name="IsCatalogueRead">Whether the items topic has been read to its end once.</param>
/// <param name="Partitions">The partitions that are read now.</param>
/// <param name="Watermark">The smallest, over these partitions, of the newest event time read, Unix milliseconds; 0 when nothing was read.</param>
/// <param name="Rejected">Records that could not be used, by topic and reason.</param>
/// <param name="Missing">By topic, the records that were skipped because the broker had deleted them.</param>
public sealed record KafkaSourceStatus(
    IReadOnlyList<(KafkaProblem Kind, string Text)> Problems, bool IsPaused, bool IsCatalogueRead, IReadOnlyList<PartitionLag> Partitions, long Watermark, IReadOnlyList<RejectedRecords> Rejected,
    IReadOnlyList<MissingRecords> Missing)
{
    /// <summary>Gets the status before the start.</summary>
    public static KafkaSourceStatus None { get; } = new([], false, false, [], 0, [], []);

    /// <summary>Gets a value indicating whether something is wrong: the source waits for it to be put right.</summary>
    public bool IsDegraded => Problems.Count > 0;

    /// <summary>Gets what is wrong, in words; empty: nothing.</summary>
    public string Problem => string.Join("; ", Problems.Select(static problem => problem.Text));

    /// <summary>Gets the number of records that wait at the broker, over all partitions whose end is known.</summary>
    public long Lag => Partitions.Sum(static partition => Math.Max(0, partition.Records));
}
