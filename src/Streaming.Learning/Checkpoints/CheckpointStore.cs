using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Training;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>
/// A directory of checkpoints. Each is a folder that appears by one rename, after everything in it has been written and
/// synced to disk: a crash at any point leaves the old ones intact and nothing half-written.
/// </summary>
/// <remarks>
/// Several processes may read; one writes at a time, the trainer that holds the lease. One that lost the lease without noticing
/// does no harm: the newest checkpoint is that of the greatest fencing token, and a writer deletes only what is older than its
/// own token.
/// <para>A checkpoint is the whole state, not what changed since the last one: optimiser moments and decay change with every touched row,
/// and a minute of a busy stream touches a large part of them (histories, negatives, bank). Differences would need a chain that is
/// verified from its start, kept whole by retention, and merged now and then, which writes everything again. Where the bytes matter,
/// `STREAMING__Checkpoint__Interval` divides them; a worker in which nothing has changed writes none.</para>
/// </remarks>
public sealed partial class CheckpointStore
{
    private readonly string _directory;
    private readonly int _keep;
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly CheckpointFence _fence;
    private readonly uint _generation;
    private readonly CheckpointOwner? _owner;

    /// <summary>Creates a store; the directory is created with the first checkpoint.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="keep">Number of checkpoints to keep, 1 … 1000.</param>
    /// <param name="time">Clock for the manifest.</param>
    /// <param name="warn">Receives warnings about skipped checkpoints and old ones that could not be deleted.</param>
    /// <param name="fence">Fencing token of the writing trainer; none: it is the only one.</param>
    /// <param name="generation">Generation of the embedding space, for the manifest.</param>
    /// <param name="owner">Whose checkpoints these are; null: nobody asks.</param>
    public CheckpointStore(
        string directory,
        int keep,
        TimeProvider time,
        Action<string> warn,
        CheckpointFence? fence = null,
        uint generation = 1,
        CheckpointOwner? owner = null
    )
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keep, 1000);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(warn);
        _directory = Path.GetFullPath(directory);
        _keep = keep;
        _time = time;
        _warn = warn;
        _fence = fence ?? CheckpointFence.None;
        _generation = generation;
        _owner = owner;
    }

    /// <summary>Gets the greatest fencing token of all checkpoints; 0 when there are none.</summary>
    public uint NewestToken => List() is [var newest, ..] ? CheckpointFiles.StampOf(newest)!.Value.Token : 0;

    /// <summary>Whether a folder is a single checkpoint, intact or damaged, rather than a directory of checkpoints.</summary>
    public static bool IsCheckpoint(string path) =>
        CheckpointFiles.StampOf(Path.GetFullPath(path)) is not null || File.Exists(Path.Combine(path, CheckpointFiles.Manifest));

    /// <summary>All checkpoint folders, newest first: by fencing token, then by number.</summary>
    /// <exception cref="UnreadableCheckpointException">The folder cannot be listed.</exception>
    public IReadOnlyList<string> List()
    {
        try
        {
            return Directory.Exists(_directory)
                ?
                [
                    .. Directory
                        .EnumerateDirectories(_directory)
                        .Where(path => CheckpointFiles.StampOf(path) is not null)
                        .OrderByDescending(path => CheckpointFiles.StampOf(path)!.Value),
                ]
                : [];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException($"The checkpoints in '{_directory}' cannot be listed: {exception.Message}", exception);
        }
    }

    /// <summary>The newest checkpoint that verifies; those that are damaged are skipped with a warning. Null when there is none.</summary>
    /// <exception cref="UnreadableCheckpointException">One that is newer than any that verifies cannot be read, so that nobody knows
    /// whether it is damaged.</exception>
    /// <exception cref="DamagedCheckpointsException">There are checkpoints, and every one is damaged.</exception>
    /// <exception cref="StateMismatchException">The newest was written by a newer version of this program, or belongs to another
    /// model.</exception>
    public Checkpoint? FindNewest()
    {
        string damage = string.Empty;
        foreach (string path in List())
        {
            if (TryOpen(path, 0, 1, ref damage) is { } found)
            {
                return found;
            }
        }

        return damage.Length == 0 || List().Count == 0 ? null : throw AllDamaged(damage);
    }

    /// <summary>Looks at what the newest checkpoint says of itself, without verifying it: cheap.</summary>
    /// <exception cref="StateMismatchException">It belongs to another model.</exception>
    /// <exception cref="UnreadableCheckpointException">It cannot be read.</exception>
    public void RequireOwn()
    {
        if (_owner is null || List() is not [var newest, ..])
        {
            return;
        }

        try
        {
            RequireOwn(newest, CheckpointReading.ReadManifest(Path.Combine(newest, CheckpointFiles.Manifest)));
        }
        catch (Exception exception) when (exception is InvalidDataException or DirectoryNotFoundException)
        {
            // Damaged, which the one who reads it says; or cleared away just now by the worker that leads.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException($"Checkpoint '{newest}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>
    /// Writes a checkpoint on a background thread. Takes ownership of both snapshots and disposes them, written or not.
    /// </summary>
    /// <param name="trainer">The trainer's state.</param>
    /// <param name="ingest">The ingestion state as of the same batch, or null when there is none.</param>
    /// <param name="positions">The next offset of each partition. Copied before this returns.</param>
    /// <param name="cancellationToken">Cancels the checkpoint; nothing is left behind.</param>
    /// <exception cref="IOException">Disk full, read-only, …; older checkpoints are unaffected.</exception>
    /// <exception cref="SupersededException">Another trainer has taken over; nothing was kept.</exception>
    public Task<CheckpointWritten> WriteAsync(
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        IReadOnlyCollection<StreamPosition> positions,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(positions);
        StreamPosition[] copy = [.. positions];

        // The task starts without the token: the snapshots must be disposed even when it is already cancelled.
        return Task.Factory.StartNew(
            () => Write(trainer, ingest, copy, cancellationToken),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    /// <summary>Opens a checkpoint; null, with a warning, if it is damaged.</summary>
    private Checkpoint? TryOpen(string path, int rank, int ranks, ref string damage)
    {
        try
        {
            var found = Checkpoint.Open(path, rank, ranks);
            RequireOwn(path, found.Manifest);
            return found;
        }
        catch (Exception exception) when (exception is InvalidDataException or DirectoryNotFoundException)
        {
            damage = exception.Message;
            _warn($"Skipping checkpoint '{path}': {exception.Message}");
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableCheckpointException($"Checkpoint '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    private DamagedCheckpointsException AllDamaged(string damage) =>
        new($"No checkpoint in '{_directory}' can be used: {damage} Restore one, or move them away to begin a new model.");

    private CheckpointWritten Write(
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        StreamPosition[] positions,
        CancellationToken cancellationToken
    )
    {
        using (trainer)
        using (ingest)
        {
            long start = _time.GetTimestamp();
            string name = NextName();
            string path = Path.Combine(_directory, name);
            long bytes = WriteFolder(trainer, ingest, positions, name, cancellationToken);
            DeleteOld();
            return new CheckpointWritten(path, trainer.Counters.Steps, trainer.Sequence, bytes, _time.GetElapsedTime(start));
        }
    }

    private long WriteFolder(
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        StreamPosition[] positions,
        string name,
        CancellationToken cancellationToken
    )
    {
        string temporary = Path.Combine(_directory, CheckpointFiles.TemporaryName(name));
        try
        {
            Directory.CreateDirectory(temporary);
            var writer = new CheckpointWriter(temporary);
            writer.Write(trainer, ingest, Describe(trainer, ingest, positions), cancellationToken);
            Publish(temporary, name);
            return writer.Bytes;
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Makes room for a checkpoint, if this trainer may write one, and gives it the next name.</summary>
    private string NextName()
    {
        Directory.CreateDirectory(_directory);
        RequireOwn();
        CheckFence();
        DeleteLeftovers();
        long number = List().Select(folder => CheckpointFiles.StampOf(folder)!.Value.Number).DefaultIfEmpty(-1).Max() + 1;
        return CheckpointFiles.FolderName(_fence.Token, number);
    }

    private CheckpointManifest Describe(TrainerSnapshot trainer, IngestSnapshot? ingest, StreamPosition[] positions) =>
        new()
        {
            Written = _time.GetUtcNow(),
            Token = _fence.Token,
            Step = trainer.Counters.Steps,
            Sequence = trainer.Sequence,
            Counters = trainer.Counters,
            Generation = _generation,
            Model = trainer.Model,
            Owner = _owner,
            Shape = trainer.Shape,
            Positions = positions,
            HasIngest = ingest is not null,
        };

    /// <summary>The one rename that makes a checkpoint visible.</summary>
    private void Publish(string temporary, string name)
    {
        RequireOwn();
        CheckFence();
        Directory.Move(temporary, Path.Combine(_directory, name));
        DurableFolder.Synchronize(_directory);
    }

    private void RequireOwn(string path, CheckpointManifest manifest)
    {
        if (_owner is not null && manifest.Owner is { } other && other != _owner)
        {
            throw new StateMismatchException(
                $"Checkpoint '{path}' belongs to {other}; this worker has {_owner}. Set STREAMING__Checkpoint__Folder to a folder of "
                    + $"its own; to start from the other model's state on purpose, add --from {path}."
            );
        }
    }

    /// <summary>A process can still be suspended between this check and the rename; then the order of names protects.</summary>
    private void CheckFence()
    {
        if (NewestToken is var newest && newest > _fence.Token)
        {
            throw new SupersededException(
                $"'{_directory}' has a checkpoint with fencing token {newest}; this trainer's is {_fence.Token}: another trainer has "
                    + "taken over."
            );
        }

        if (!_fence.MayWrite())
        {
            throw new SupersededException(
                $"Another trainer has taken the lease since fencing token {_fence.Token}; this trainer's checkpoint was discarded."
            );
        }
    }

    /// <summary>Deletes what a crash left. There is only one writer at a time, so leftovers are unowned, except those of a greater
    /// token: they are the successor's, and this writer has been replaced without knowing it yet.</summary>
    private void DeleteLeftovers()
    {
        foreach (string path in Directory.EnumerateDirectories(_directory))
        {
            if (CheckpointFiles.LeftoverTokenOf(path) is { } token && token <= _fence.Token)
            {
                TryDelete(path);
            }
        }
    }

    private void DeleteOld()
    {
        foreach (string path in List().Skip(_keep))
        {
            // Renamed first, so that a half-deleted checkpoint is not mistaken for a corrupt one.
            string deleting = Path.Combine(_directory, CheckpointFiles.DeletingPrefix + Path.GetFileName(path));
            try
            {
                Directory.Move(path, deleting);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _warn($"Cannot delete the old checkpoint '{path}': {exception.Message}");
                continue;
            }

            TryDelete(deleting);
        }
    }

    private void TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _warn($"Cannot delete '{path}': {exception.Message}");
        }
    }
}
