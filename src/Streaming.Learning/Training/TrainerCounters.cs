namespace Streaming.Learning.Training;

/// <summary>What a trainer has done since the stream's beginning, over restarts.</summary>
public record struct TrainerCounters
{
    /// <summary>Steps of the engine, those not applied included.</summary>
    public long Steps { get; set; }

    /// <summary>Batches, those without examples included.</summary>
    public long Batches { get; set; }

    /// <summary>New examples that a step has worked on: each event counts once.</summary>
    public long EventsTrained { get; set; }

    /// <summary>Old examples that joined a step.</summary>
    public long EventsReplayed { get; set; }

    /// <summary>Examples whose item had no row of its own.</summary>
    public long EventsOnFallback { get; set; }

    /// <summary>Steps that were not applied because the loss or a gradient was not finite.</summary>
    public long NonFiniteSteps { get; set; }

    /// <summary>Refreshes that were posted, removals included.</summary>
    public long Refreshes { get; set; }
}
