using Microsoft.Extensions.Logging;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>
/// Reports a part to health, and to the log when a problem begins and ends. Text that changes meanwhile goes to health alone.
/// </summary>
/// <param name="part">The part.</param>
/// <param name="bad">Its level while it has a problem.</param>
/// <param name="health">Receives every report.</param>
/// <param name="logger">Receives changes.</param>
internal sealed class PartWatch(string part, HealthLevel bad, HealthReport health, ILogger logger)
{
    private bool _isBad;

    /// <summary>Reports a problem; empty: none.</summary>
    public void Set(string problem)
    {
        bool isBad = problem.Length > 0;
        health.Set(part, isBad ? bad : HealthLevel.Healthy, problem);
        if (isBad && !_isBad)
        {
            PipelineLog.PartDegraded(logger, part, problem);
        }
        else if (_isBad && !isBad)
        {
            PipelineLog.PartHealthy(logger, part);
        }

        _isBad = isBad;
    }
}
