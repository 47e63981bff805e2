namespace Streaming.Transport;

/// <summary>Where a model that has seen nothing yet begins to read.</summary>
public enum KafkaStart
{
    /// <summary>At the oldest event that the broker still has.</summary>
    Earliest,

    /// <summary>At the first event after the start.</summary>
    Latest,
}
