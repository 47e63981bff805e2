using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Records;

namespace Streaming.Transport.Kafka;

/// <summary>The status of reading, updated once a second.</summary>
/// <param name="Problems">Current problems, with descriptions.</param>
/// <param name="IsPaused">Whether fetching is paused because the trainer is behind.</param>
/// <param name="IsCatalogueRead">Whether the items topic has been read to its end.</param>
/// <param name="Partitions">The assigned partitions.</param>
/// <param name="Watermark">The minimum, over these partitions, of the newest event time read, Unix milliseconds; 0 if nothing was
/// read.</param>
/// <param name="Rejected">Records that could not be used, by topic and reason.</param>
/// <param name="Missing">By topic, the number of records skipped because the broker had deleted them.</param>
public sealed record KafkaSourceStatus(
    IReadOnlyList<(KafkaProblem Kind, string Text)> Problems,
    bool IsPaused,
    bool IsCatalogueRead,
    IReadOnlyList<PartitionLag> Partitions,
    long Watermark,
    IReadOnlyList<RejectedRecords> Rejected,
    IReadOnlyList<MissingRecords> Missing
)
{
    /// <summary>Gets the status before the start.</summary>
    public static KafkaSourceStatus None { get; } = new([], false, false, [], 0, [], []);

    /// <summary>Gets a value indicating whether there is a problem; the source waits for it to be resolved.</summary>
    public bool IsDegraded => Problems.Count > 0;

    /// <summary>Gets a description of all problems; empty if there are none.</summary>
    public string Problem => string.Join("; ", Problems.Select(static problem => problem.Text));

    /// <summary>Gets the total lag in records, over all partitions whose end is known.</summary>
    public long Lag => Partitions.Sum(static partition => Math.Max(0, partition.Records));
}
