namespace Streaming.Worker.Metrics;

/// <summary>A part of an event's way from the reader to the publisher.</summary>
public enum FreshnessLeg
{
    /// <summary>From the first record of a batch until the batch is full, or its linger has expired.</summary>
    Batching,

    /// <summary>From then on until the trainer takes the batch.</summary>
    Queue,

    /// <summary>From then on until the batch has been trained on.</summary>
    Training,

    /// <summary>From the first batch trained on until what it changed is handed to the publisher, with that of later batches.</summary>
    Handover,
}
