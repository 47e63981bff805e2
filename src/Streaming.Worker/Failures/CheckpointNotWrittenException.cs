namespace Streaming.Worker.Failures;

/// <summary>The last checkpoint of a worker that was asked to stop could not be written.</summary>
internal sealed class CheckpointNotWrittenException(string folder)
    : Exception(
        $"the last checkpoint could not be written to '{folder}' (the log has the reason): what was learned since the one before it is "
            + "not kept. Its events are read again after the next start, if Kafka still has them."
    );
