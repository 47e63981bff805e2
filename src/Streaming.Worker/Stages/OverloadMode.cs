namespace Streaming.Worker.Stages;

/// <summary>What to do when events arrive faster than they can be trained on.</summary>
public enum OverloadMode
{
    /// <summary>The consumer waits, and the lag grows; every event is trained on eventually.</summary>
    Wait,

    /// <summary>A share of the events enters the histories without being trained on, and is counted.</summary>
    Sample,
}
