using Microsoft.Extensions.Logging;
using Streaming.Core.Positions;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka.Topics;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Run;

/// <summary>Decides which failures of a pipeline lead back to the last checkpoint; all others end the worker.</summary>
/// <param name="skipMissing">Whether a topic that was deleted and recreated may be read from its new beginning
/// (<see cref="Streaming.Transport.Kafka.Clients.KafkaOptions.SkipMissing"/>).</param>
/// <param name="logger">Receives the reason of each return.</param>
internal sealed class ReturnPolicy(bool skipMissing, ILogger logger)
{
    private bool _hasDiverged;

    /// <summary>Whether a failure leads back: divergence does once, a replaced topic every time if allowed.</summary>
    public bool Allows(Exception exception) =>
        exception switch
        {
            NonFiniteLossException => !_hasDiverged,
            TopicReplacedException => skipMissing,
            _ => false,
        };

    /// <summary>Takes an allowed return, and logs why.</summary>
    /// <returns>Where topics ended that were deleted while they were read.</returns>
    /// <exception cref="ArgumentException">The failure does not lead back.</exception>
    public IReadOnlyList<StreamPosition> Take(Exception exception)
    {
        if (!Allows(exception))
        {
            throw new ArgumentException($"{exception.GetType().Name} does not lead back to a checkpoint.", nameof(exception));
        }

        if (exception is TopicReplacedException replaced)
        {
            PipelineLog.TopicReplaced(logger, exception.Message);
            return replaced.OldEnds;
        }

        _hasDiverged = true;
        PipelineLog.GoingBack(logger, exception.Message);
        return [];
    }
}
