namespace Streaming.Worker.Failures;

/// <summary>The final checkpoint of a worker that was told to stop could not be written.</summary>
internal sealed class CheckpointNotWrittenException(string folder)
    : Exception(
        $"cannot write the final checkpoint to '{folder}' (see the log): training since the previous checkpoint is lost. Its events are "
            + "read again after a restart, if Kafka still has them."
    );
