using Microsoft.Extensions.Logging;
using Streaming.Learning.Checkpoints;
using Streaming.Transport.Redis;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;

namespace Streaming.Worker.Stages;

/// <summary>
/// Checks the folder of the checkpoints before anything starts: without it everything learned is lost with the process.
/// </summary>
internal static class CheckpointFolder
{
    /// <summary>The owner of the checkpoints that a worker with these settings writes.</summary>
    public static CheckpointOwner OwnerOf(StageOptions settings)
    {
        RedisOptions redis = settings.Redis;
        return new CheckpointOwner(redis.Model, settings.Kafka.InteractionsTopic, redis.Partitions);
    }

    /// <summary>The store of the checkpoints that a pipeline with these settings writes; null: it writes none.</summary>
    /// <param name="settings">The options of all stages.</param>
    /// <param name="plan">The generation.</param>
    /// <param name="fence">Fencing token of the writer.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Receives the store's warnings.</param>
    public static CheckpointStore? StoreOf(StageOptions settings, RunPlan plan, CheckpointFence fence, TimeProvider time, ILogger logger)
    {
        CheckpointOptions keep = settings.Checkpoint;
        return keep.Folder.Length == 0
            ? null
            : new CheckpointStore(
                keep.Folder,
                keep.Keep,
                time,
                warning => PipelineLog.CheckpointWarning(logger, warning),
                fence,
                plan.Generation,
                OwnerOf(settings)
            );
    }

    /// <summary>Creates the folder and writes to it.</summary>
    /// <param name="folder">The folder; empty: there are no checkpoints.</param>
    /// <exception cref="SettingsException">It cannot be written to.</exception>
    public static void RequireWritable(string folder)
    {
        if (folder.Length > 0)
        {
            OutputPath.RequireFolder("STREAMING__Checkpoint__Folder", folder);
        }
    }

    /// <summary>Rejects checkpoints of another model, or that cannot be read, before the lease is taken.</summary>
    /// <exception cref="Streaming.Models.State.StateMismatchException">The newest belongs to another model.</exception>
    /// <exception cref="UnreadableCheckpointException">The newest cannot be read.</exception>
    public static void RequireOwn(StageOptions settings, TimeProvider time)
    {
        CheckpointOptions keep = settings.Checkpoint;
        if (keep.Folder.Length > 0)
        {
            new CheckpointStore(keep.Folder, keep.Keep, time, static _ => { }, owner: OwnerOf(settings)).RequireOwn();
        }
    }
}
