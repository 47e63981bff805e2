namespace Streaming.Core.Ingestion;

/// <summary>When a batch is full, and what is trained on.</summary>
public sealed class BatcherOptions
{
    /// <summary>Gets or sets the number of examples of a full batch. 1 … 65,536. Default 128: a stream is seen
    /// once, and more steps on it learn more than larger ones.</summary>
    public int BatchSize { get; set; } = 128;

    /// <summary>Gets or sets how long the first record of a batch waits at most for the batch to fill. 1 ms … 1 minute, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: batches depend on the events alone, and a run can be repeated bit by bit.
    /// Default 100 ms.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets or sets how far behind its user's newest event an event may be and still be trained on. 0 … 365 days. Default 1 hour.</summary>
    public TimeSpan AllowedLateness { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the number of batches between two that carry a snapshot. 0: only when asked. Default 0.</summary>
    public int CheckpointBatches { get; set; }

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentException">A value is out of bounds.</exception>
    public void Validate()
    {
        if (BatchSize is < 1 or > 65_536)
        {
            throw new ArgumentException($"Batching:BatchSize is {BatchSize}; allowed are 1 to 65,536.");
        }

        if (Linger != Timeout.InfiniteTimeSpan && (Linger < TimeSpan.FromMilliseconds(1) || Linger > TimeSpan.FromMinutes(1)))
        {
            throw new ArgumentException($"Batching:Linger is {Linger}; allowed are 1 ms to 1 minute, or -1 ms for none.");
        }

        if (AllowedLateness < TimeSpan.Zero || AllowedLateness > TimeSpan.FromDays(365))
        {
            throw new ArgumentException($"Batching:AllowedLateness is {AllowedLateness}; allowed are 0 to 365 days.");
        }

        if (CheckpointBatches < 0)
        {
            throw new ArgumentException($"Batching:CheckpointBatches is {CheckpointBatches}; allowed are 0 and up.");
        }
    }
}
