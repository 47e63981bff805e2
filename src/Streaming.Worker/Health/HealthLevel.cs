namespace Streaming.Worker.Health;

/// <summary>State of a part, from best to worst.</summary>
public enum HealthLevel
{
    /// <summary>Works.</summary>
    Healthy,

    /// <summary>Works with a problem, such as an unavailable server; recovers by itself.</summary>
    Degraded,

    /// <summary>Starting, standing by or stopping: needs no restart, takes no traffic.</summary>
    NotReady,

    /// <summary>Failed permanently: needs a restart.</summary>
    Failed,
}
