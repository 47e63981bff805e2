namespace Streaming.Learning.Training;

/// <summary>Counters of a trainer since the start of the stream, across restarts.</summary>
public record struct TrainerCounters
{
    /// <summary>Steps of the engine, including those not applied.</summary>
    public long Steps { get; set; }

    /// <summary>Batches, including those without examples.</summary>
    public long Batches { get; set; }

    /// <summary>New examples used in a step: each event counts once.</summary>
    public long EventsTrained { get; set; }

    /// <summary>Replayed examples used in a step.</summary>
    public long EventsReplayed { get; set; }

    /// <summary>Examples whose item had only a fallback row.</summary>
    public long EventsOnFallback { get; set; }

    /// <summary>Steps not applied because the loss or a gradient was not finite.</summary>
    public long NonFiniteSteps { get; set; }

    /// <summary>Refreshes posted, including removals.</summary>
    public long Refreshes { get; set; }
}
