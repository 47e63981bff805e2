namespace Streaming.Worker.Health;

/// <summary>How well a part is, from best to worst.</summary>
public enum HealthLevel
{
    /// <summary>All is well.</summary>
    Healthy,

    /// <summary>It works, but something that it uses is away; it will come back by itself.</summary>
    Degraded,

    /// <summary>It starts, stands by or stops: no traffic, but no restart either.</summary>
    NotReady,

    /// <summary>It has failed for good: restart it.</summary>
    Failed,
}
