using Streaming.Core.Options;

namespace Streaming.Core.Ingestion;

/// <summary>Size and timing of batches, and which events are trained on.</summary>
public sealed record BatcherOptions
{
    /// <summary>Gets the number of examples of a full batch. 1 … 65,536. Default 128: a stream is seen
    /// once, and more steps on it learn more than larger ones.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Gets the number of examples that a batch grows to while earlier batches wait for the trainer: a larger step costs less per
    /// event. The learning rate follows (`STREAMING__Training__LearningRate__BatchExponent`). With an infinite linger batches do not grow.
    /// BatchSize: never. Default 0: twice BatchSize. 0, BatchSize … 65,536.</summary>
    public int MaxBatchSize { get; init; }

    /// <summary>Gets how long the first record of a batch waits at most for the batch to fill. 1 ms … 1 minute, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: batches depend on the events alone, and a run can be repeated bit by bit.
    /// Default 100 ms.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Gets how far behind its user's newest event an event may be and still be trained on. 0 … 365 days. Default 1 hour.
    /// </summary>
    public TimeSpan AllowedLateness { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets the number of batches between two that carry a snapshot. 0: only when asked. Default 0.</summary>
    public int CheckpointBatches { get; init; }

    /// <summary>Gets a value indicating whether batches depend on the events alone, and not on the clock.</summary>
    public bool IsRepeatable => Linger == Timeout.InfiniteTimeSpan;

    /// <summary>Gets the number of examples that a batch must have room for.</summary>
    public int Capacity =>
        IsRepeatable ? BatchSize
        : MaxBatchSize == 0 ? (int)Math.Min(2L * BatchSize, 65_536)
        : MaxBatchSize;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(BatchSize), BatchSize, 1, 65_536);
        errors.Check(
            MaxBatchSize == 0 || (MaxBatchSize >= BatchSize && MaxBatchSize <= 65_536),
            nameof(MaxBatchSize),
            MaxBatchSize,
            $"0 (twice BatchSize), or BatchSize ({BatchSize}) … 65536"
        );
        errors.Check(
            Linger == Timeout.InfiniteTimeSpan || (Linger >= TimeSpan.FromMilliseconds(1) && Linger <= TimeSpan.FromMinutes(1)),
            nameof(Linger),
            Linger,
            "1ms … 1m, or -1ms: no limit"
        );
        errors.Range(nameof(AllowedLateness), AllowedLateness, TimeSpan.Zero, TimeSpan.FromDays(365));
        errors.Check(CheckpointBatches >= 0, nameof(CheckpointBatches), CheckpointBatches, "0 and up");
        errors.Throw();
    }
}
