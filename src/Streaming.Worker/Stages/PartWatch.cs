using Microsoft.Extensions.Logging;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>
/// Tells health how a part is, and the log when that begins and ends. Words that change while it lasts go to health alone.
/// </summary>
/// <param name="part">The part.</param>
/// <param name="bad">Its level while something is wrong.</param>
/// <param name="health">Told each time.</param>
/// <param name="logger">Told of changes.</param>
internal sealed class PartWatch(string part, HealthLevel bad, HealthReport health, ILogger logger)
{
    private bool _isBad;

    /// <summary>Says what is wrong, or with an empty text that nothing is.</summary>
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
