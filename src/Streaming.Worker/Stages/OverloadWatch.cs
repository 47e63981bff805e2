using Microsoft.Extensions.Logging;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>Reports load shedding: to health at every call, to the log when it starts and when it ends. One caller at a time.</summary>
/// <param name="share">Share of the events that is not trained on while overloaded, 0 … 1.</param>
/// <param name="health">Receives the state of part "load".</param>
/// <param name="logger">Receives changes.</param>
internal sealed class OverloadWatch(double share, HealthReport health, ILogger logger)
{
    private bool _wasOverloaded;

    /// <summary>Reports the current state.</summary>
    /// <param name="overloaded">Whether events are being skipped.</param>
    /// <param name="lag">Records behind the end of the stream.</param>
    public void Set(bool overloaded, long lag)
    {
        health.Set(
            "load",
            overloaded ? HealthLevel.Degraded : HealthLevel.Healthy,
            overloaded ? FormattableString.Invariant($"too far behind, {share:0.##} of the events are not trained on") : string.Empty
        );
        if (overloaded != _wasOverloaded)
        {
            _wasOverloaded = overloaded;
            Action<ILogger, long, double> log = overloaded ? PipelineLog.Overloaded : PipelineLog.CaughtUp;
            log(logger, lag, share);
        }
    }
}
