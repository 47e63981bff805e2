using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Models.State;

namespace Streaming.Worker.Stages;

/// <summary>Opens the checkpoint that a command line names: a checkpoint, or the newest of a directory of checkpoints.</summary>
internal static class CheckpointSource
{
    /// <summary>Opens it; of a directory, the newest that verifies.</summary>
    /// <exception cref="InputFileException">There is none, or it is damaged: says which file.</exception>
    /// <exception cref="StateMismatchException">A newer version of this program wrote it.</exception>
    public static Checkpoint Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new InputFileException(
                $"'{path}' is not a directory; allowed: a checkpoint, or a directory of checkpoints.",
                new DirectoryNotFoundException()
            );
        }

        try
        {
            var problems = new List<string>();
            return CheckpointStore.IsCheckpoint(path)
                ? Checkpoint.Open(path)
                : new CheckpointStore(path, 1, TimeProvider.System, problems.Add).FindNewest()
                    ?? throw new InputFileException($"'{path}' has no usable checkpoint. {string.Join(' ', problems)}".TrimEnd());
        }
        catch (Exception exception) when (exception is InvalidDataException or DamagedCheckpointsException)
        {
            throw new InputFileException(exception.Message, exception);
        }
    }
}
