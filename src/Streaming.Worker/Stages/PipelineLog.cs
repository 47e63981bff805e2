using Microsoft.Extensions.Logging;
using Streaming.Models.Options;

namespace Streaming.Worker.Stages;

/// <summary>The pipeline's log messages. Ids 1000 to 1099.</summary>
internal static partial class PipelineLog
{
    [LoggerMessage(
        1000,
        LogLevel.Information,
        "Training {Tower} at widths {Widths} with {Loss} on {Engine}; bank size {Bank}, batch size {BatchSize}"
    )]
    private static partial void Starting(ILogger logger, string tower, string widths, string loss, string engine, int bank, int batchSize);

    /// <summary>Logs what is trained.</summary>
    public static void Starting(ILogger logger, StageOptions settings, string engine)
    {
        ModelOptions model = settings.Model;
        Starting(
            logger,
            model.Tower.ToString(),
            string.Join(',', model.Widths),
            model.Loss.ToString(),
            engine,
            model.BankCapacity,
            settings.Batching.BatchSize
        );
    }

    [LoggerMessage(1001, LogLevel.Information, "Resuming from checkpoint {Checkpoint}: batch {Sequence}, {Events} events")]
    public static partial void Restored(ILogger logger, string checkpoint, long sequence, long events);

    [LoggerMessage(1002, LogLevel.Information, "No checkpoint in {Folder}; starting a new model")]
    public static partial void Beginning(ILogger logger, string folder);

    [LoggerMessage(1003, LogLevel.Information, "Shutting down: draining in-flight events, then writing a final checkpoint")]
    public static partial void Draining(ILogger logger);

    [LoggerMessage(
        1004,
        LogLevel.Information,
        "Stopped after {Steps} steps on {Events} events; {Published} embeddings published since startup"
    )]
    public static partial void Stopped(ILogger logger, long steps, long events, long published);

    [LoggerMessage(1005, LogLevel.Error, "The {Stage} failed; stopping the worker")]
    public static partial void StageFailed(ILogger logger, string stage, Exception exception);

    [LoggerMessage(1006, LogLevel.Warning, "Step {Step} was not applied: loss {Loss} or a gradient is not finite")]
    public static partial void StepNotApplied(ILogger logger, long step, double loss);

    [LoggerMessage(
        1034,
        LogLevel.Warning,
        "Recall@20 has dropped to {Recall:F4}, from {Before:F4} before: the stream has drifted. Earlier examples are no longer replayed, "
            + "and earlier counts weigh a tenth"
    )]
    public static partial void Drifted(ILogger logger, double recall, double before);

    [LoggerMessage(1007, LogLevel.Warning, "Catalogue record rejected: {Reason}")]
    public static partial void RecordRejected(ILogger logger, string reason);

    [LoggerMessage(
        1008,
        LogLevel.Information,
        "Checkpoint {Checkpoint} written in {Milliseconds} ms, {Bytes} bytes; training paused for {Pause} ms"
    )]
    public static partial void CheckpointWritten(ILogger logger, string checkpoint, long milliseconds, long bytes, double pause);

    [LoggerMessage(
        1009,
        LogLevel.Error,
        "Failed to write the checkpoint; the previous one stays valid, and training continues until the next attempt: {Reason}"
    )]
    public static partial void CheckpointFailed(ILogger logger, string reason);

    [LoggerMessage(1010, LogLevel.Warning, "The previous checkpoint is still being written; skipping this one")]
    public static partial void CheckpointSkipped(ILogger logger);

    [LoggerMessage(1011, LogLevel.Warning, "Training diverged ({Reason}); restoring the last checkpoint (once)")]
    public static partial void GoingBack(ILogger logger, string reason);

    [LoggerMessage(1012, LogLevel.Warning, "Publishing: {Message} ({Items} items) {Reason}")]
    public static partial void PublishIncident(ILogger logger, string message, int items, string reason);

    [LoggerMessage(1013, LogLevel.Information, "Publishing: {Message} ({Items} items)")]
    public static partial void PublishRecovered(ILogger logger, string message, int items);

    [LoggerMessage(1014, LogLevel.Warning, "Shut down with {Items} embeddings unpublished; they will be published on restart")]
    public static partial void LeftUnpublished(ILogger logger, int items);

    [LoggerMessage(1015, LogLevel.Information, "Leading model {Model} with fencing token {Token}")]
    public static partial void Leading(ILogger logger, string model, long token);

    [LoggerMessage(1016, LogLevel.Information, "Another worker leads model {Model}; standing by")]
    public static partial void StandingBy(ILogger logger, string model);

    [LoggerMessage(1017, LogLevel.Information, "Health and metrics at {Address}")]
    public static partial void Listening(ILogger logger, Uri address);

    [LoggerMessage(1018, LogLevel.Warning, "Checkpoints: {Warning}")]
    public static partial void CheckpointWarning(ILogger logger, string warning);

    [LoggerMessage(1019, LogLevel.Warning, "Failed to release the lease ({Reason}); it expires by itself")]
    public static partial void LeaseNotReleased(ILogger logger, string reason);

    [LoggerMessage(1020, LogLevel.Warning, "Failed to publish user towers ({Reason}); retrying at the next interval")]
    public static partial void TowersNotPublished(ILogger logger, string reason);

    [LoggerMessage(1021, LogLevel.Warning, "Shut down with the histories of {Users} users unpublished; they will be published on restart")]
    public static partial void HistoriesUnpublished(ILogger logger, int users);

    [LoggerMessage(1022, LogLevel.Information, "Starting from {Checkpoint}: {WarmStart}")]
    public static partial void Adopted(ILogger logger, string checkpoint, string warmStart);

    [LoggerMessage(1023, LogLevel.Information, "Ignoring --from {From}: this model already has a checkpoint")]
    public static partial void FromLeftAside(ILogger logger, string from);

    [LoggerMessage(1024, LogLevel.Information, "Training generation {Generation}; readers use {Active}")]
    public static partial void TrainingGeneration(ILogger logger, uint generation, uint active);

    [LoggerMessage(1025, LogLevel.Information, "Switched readers from generation {Old} to {New}: {Items} items, Recall@20 {Recall}")]
    public static partial void Switched(ILogger logger, uint old, uint @new, long items, double recall);

    [LoggerMessage(1026, LogLevel.Information, "Not switching readers to generation {Generation} yet: {Objection}")]
    public static partial void NotSwitched(ILogger logger, uint generation, string objection);

    [LoggerMessage(1027, LogLevel.Warning, "Redis at {Servers} is unavailable ({Reason}); retrying until it answers")]
    public static partial void PointerUnknown(ILogger logger, string servers, string reason);

    [LoggerMessage(1028, LogLevel.Warning, "{Lag} records behind; {Share} of the events update histories only and are not trained on")]
    public static partial void Overloaded(ILogger logger, long lag, double share);

    [LoggerMessage(
        1029,
        LogLevel.Information,
        "Lag is down to {Lag} records; training on every event again (load shedding was at {Share})"
    )]
    public static partial void CaughtUp(ILogger logger, long lag, double share);

    [LoggerMessage(1030, LogLevel.Warning, "Returning to the last checkpoint: {Reason}")]
    public static partial void TopicReplaced(ILogger logger, string reason);

    [LoggerMessage(1031, LogLevel.Error, "The {Stage} stopped: {Reason}. Stopping the worker")]
    public static partial void StageEnded(ILogger logger, string stage, string reason);

    [LoggerMessage(1032, LogLevel.Warning, "Health problem: {Part}: {Problem}")]
    public static partial void PartDegraded(ILogger logger, string part, string problem);

    [LoggerMessage(1033, LogLevel.Information, "Health problem resolved: {Part}")]
    public static partial void PartHealthy(ILogger logger, string part);

    [LoggerMessage(
        1060,
        LogLevel.Warning,
        "Redis may evict embeddings, fences and the pointer when memory is full: {Servers}. Set maxmemory-policy noeviction, and "
            + "maxmemory above what the catalogue needs"
    )]
    public static partial void StoreEvicts(ILogger logger, string servers);

    [LoggerMessage(1061, LogLevel.Information, "Redis does not evict embeddings any more: {Servers} before")]
    public static partial void StoreKeeps(ILogger logger, string servers);

    [LoggerMessage(1062, LogLevel.Warning, "Cannot acquire or renew the lease of model {Model} ({Reason}); retrying")]
    public static partial void LeaseUnknown(ILogger logger, string model, string reason);

    [LoggerMessage(1063, LogLevel.Information, "Redis answers requests for the lease of model {Model} again")]
    public static partial void LeaseKnown(ILogger logger, string model);

    [LoggerMessage(
        1080,
        LogLevel.Critical,
        "Rank {Rank} of {Ranks} has waited {Seconds:0} s (STREAMING__Ranks__Timeout) for {Missing}, which does not answer; ending the job"
    )]
    public static partial void RankMissing(ILogger logger, int rank, int ranks, double seconds, string missing);

    [LoggerMessage(
        1081,
        LogLevel.Information,
        "One of {Ranks} ranks: reads partitions {Rank} + {Ranks} n, stores item rows {Rank} + {Ranks} n"
    )]
    public static partial void JoinedRanks(ILogger logger, int rank, int ranks);

    [LoggerMessage(1082, LogLevel.Information, "The job was stopped, or rank 0 failed, before it began; nothing to save on this rank")]
    public static partial void JobNotBegun(ILogger logger);

    [LoggerMessage(
        1083,
        LogLevel.Warning,
        "No final checkpoint: a rank could not deliver its last dead letters, as its log says. What followed the previous checkpoint is "
            + "read again after the next start"
    )]
    public static partial void NoLastCheckpoint(ILogger logger);
}
