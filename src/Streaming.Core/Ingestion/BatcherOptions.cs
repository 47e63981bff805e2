namespace Streaming.Core.Ingestion;

/// <summary>Size and timing of batches, and which events are trained on.</summary>
public sealed class BatcherOptions
{
    /// <summary>Gets or sets the number of examples in a full batch. 1 … 65,536. Default 128: a stream is seen once, and many small
    /// steps learn more from it than fewer large ones.</summary>
    public int BatchSize { get; set; } = 128;

    /// <summary>Gets or sets the maximum time the first record of a batch waits for the batch to fill. 1 ms … 1 minute, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: batches then depend on the events alone, and runs are reproducible bit for bit.
    /// Default 100 ms.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets or sets how far behind its user's newest event an event may be to be trained on. 0 … 365 days. Default 1
    /// hour.</summary>
    public TimeSpan AllowedLateness { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the number of batches between snapshots. 0: only on request. Default 0.</summary>
    public int CheckpointBatches { get; set; }

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentException">A value is out of bounds.</exception>
    public void Validate()
    {
        if (BatchSize is < 1 or > 65_536)
        {
            throw new ArgumentException($"Batching:BatchSize is {BatchSize}; allowed: 1 to 65,536.");
        }

        if (Linger != Timeout.InfiniteTimeSpan && (Linger < TimeSpan.FromMilliseconds(1) || Linger > TimeSpan.FromMinutes(1)))
        {
            throw new ArgumentException($"Batching:Linger is {Linger}; allowed: 1 ms to 1 minute, or -1 ms for none.");
        }

        if (AllowedLateness < TimeSpan.Zero || AllowedLateness > TimeSpan.FromDays(365))
        {
            throw new ArgumentException($"Batching:AllowedLateness is {AllowedLateness}; allowed: 0 to 365 days.");
        }

        if (CheckpointBatches < 0)
        {
            throw new ArgumentException($"Batching:CheckpointBatches is {CheckpointBatches}; allowed: 0 and up.");
        }
    }
}
