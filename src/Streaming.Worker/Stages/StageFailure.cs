using Microsoft.Extensions.Logging;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Stages;

/// <summary>Logs the failure of a stage.</summary>
internal static class StageFailure
{
    /// <summary>Logs an expected failure as one line, and a defect with its stack trace.</summary>
    public static void Log(ILogger logger, string stage, Exception exception)
    {
        (ExitCode code, string message) = Failure.Explain(exception);
        if (code == ExitCode.Failure && exception is not OutOfMemoryException)
        {
            PipelineLog.StageFailed(logger, stage, exception);
        }
        else
        {
            PipelineLog.StageEnded(logger, stage, message);
        }
    }
}
