using System.Globalization;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Training;

namespace Streaming.Learning.Checkpoints;

/// <content>
/// Checkpoints of several ranks, in two phases. Rank 0 begins one and tells the others its name. Each rank writes its share, and a report
/// of it last. Once rank 0 has been told that all have, it commits: it checks the reports and renames the folder. All ranks use the same
/// directory, and none but rank 0 makes a checkpoint visible or deletes one.
/// </content>
public sealed partial class CheckpointStore
{
    private long _begun;

    /// <summary>Begins a checkpoint of several ranks. On rank 0; deletes what an earlier attempt left.</summary>
    /// <returns>Its name, for <see cref="WriteShareAsync"/> and <see cref="CommitAsync"/>: ASCII, at most 100 characters.</returns>
    /// <exception cref="IOException">Disk full, read-only, …; older checkpoints are unaffected.</exception>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public string BeginShared()
    {
        _begun = _time.GetTimestamp();
        string name = CheckpointFiles.TemporaryName(NextName());
        Directory.CreateDirectory(Path.Combine(_directory, name));
        DurableFolder.Synchronize(_directory);
        return name;
    }

    /// <summary>
    /// Writes this rank's share of a checkpoint on a background thread. On every rank. Takes ownership of both snapshots and disposes
    /// them, written or not.
    /// </summary>
    /// <param name="name">The checkpoint, from <see cref="BeginShared"/> on rank 0.</param>
    /// <param name="rank">Number of this rank, 0 … <paramref name="ranks"/> − 1.</param>
    /// <param name="ranks">Number of ranks, 2 and up.</param>
    /// <param name="trainer">The trainer's state, after the same batch on every rank.</param>
    /// <param name="ingest">This rank's ingestion state as of the same batch; null on every rank when there is none.</param>
    /// <param name="positions">The next offset of each partition that this rank reads, and of no other. Copied before this
    /// returns.</param>
    /// <param name="cancellationToken">Cancels the writing.</param>
    /// <returns>The bytes written.</returns>
    /// <exception cref="IOException">Disk full, read-only, …, or the folder does not exist here.</exception>
    public Task<long> WriteShareAsync(
        string name,
        int rank,
        int ranks,
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        IReadOnlyCollection<StreamPosition> positions,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(positions);
        CheckShare(name, ranks);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)ranks, nameof(rank));
        StreamPosition[] copy = [.. positions];
        return Task.Factory.StartNew(
            () => WriteShare(Path.Combine(_directory, name), rank, ranks, trainer, ingest, copy, cancellationToken),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    /// <summary>Completes a checkpoint of which every rank has written its share, on a background thread. On rank 0. If it cannot be
    /// completed, nothing of it is kept.</summary>
    /// <param name="name">The checkpoint, from <see cref="BeginShared"/>.</param>
    /// <param name="ranks">Number of ranks, 2 and up.</param>
    /// <param name="cancellationToken">Cancels the checkpoint.</param>
    /// <exception cref="IncompleteCheckpointException">A report or a file of a rank is missing or damaged.</exception>
    /// <exception cref="RanksDisagreeException">The ranks do not have the same state, or two read one partition.</exception>
    /// <exception cref="IOException">Disk full, read-only, …; older checkpoints are unaffected.</exception>
    /// <exception cref="SupersededException">Another trainer has taken over.</exception>
    public Task<CheckpointWritten> CommitAsync(string name, int ranks, CancellationToken cancellationToken)
    {
        CheckShare(name, ranks);
        return Task.Factory.StartNew(
            () => Commit(name, ranks, cancellationToken),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    /// <summary>Deletes an unfinished checkpoint, because a rank failed to write its share. On rank 0.</summary>
    /// <param name="name">The checkpoint, from <see cref="BeginShared"/>.</param>
    public void Abandon(string name)
    {
        CheckShare(name, ranks: 2);
        TryDelete(Path.Combine(_directory, name));
    }

    private long WriteShare(
        string folder,
        int rank,
        int ranks,
        TrainerSnapshot trainer,
        IngestSnapshot? ingest,
        StreamPosition[] positions,
        CancellationToken cancellationToken
    )
    {
        using (trainer)
        using (ingest)
        {
            if (!Directory.Exists(folder))
            {
                throw new DirectoryNotFoundException(
                    $"'{folder}', which rank 0 created, does not exist on rank {Number(rank)}: it was discarded meanwhile, or this rank's "
                        + "checkpoint folder is another one. Give all ranks the same folder, on a disk that they share."
                );
            }

            var writer = new CheckpointWriter(folder);
            ReplicaHashes replica = writer.WriteShare(trainer, ingest, rank, ranks, cancellationToken);
            writer.WriteJson(
                CheckpointFiles.ReportOf(rank),
                new ShareReport
                {
                    Rank = rank,
                    Manifest = Describe(trainer, ingest, positions) with { Ranks = ranks },
                    Files = [.. writer.Files],
                    Replica = replica,
                }
            );
            DurableFolder.Synchronize(folder);
            return writer.Bytes;
        }
    }

    private CheckpointWritten Commit(string name, int ranks, CancellationToken cancellationToken)
    {
        string temporary = Path.Combine(_directory, name),
            final = CheckpointFiles.FinalName(name)!;
        try
        {
            CheckFence();
            ShareReport[] reports = [.. Enumerable.Range(0, ranks).Select(rank => ShareReport.Read(temporary, rank, ranks))];
            CheckpointManifest manifest = ShareAgreement.Join(reports) with { Written = _time.GetUtcNow() };
            WrittenFile[] files = [.. reports.SelectMany(static report => report.Files)];
            var writer = new CheckpointWriter(temporary);
            writer.Finish(manifest, files);
            for (int rank = 0; rank < ranks; rank++)
            {
                File.Delete(Path.Combine(temporary, CheckpointFiles.ReportOf(rank)));
            }

            cancellationToken.ThrowIfCancellationRequested();
            Publish(temporary, final);
            DeleteOld();
            long bytes = files.Sum(static file => file.Bytes) + writer.Bytes;
            string path = Path.Combine(_directory, final);
            return new CheckpointWritten(path, manifest.Step, manifest.Sequence, bytes, _time.GetElapsedTime(_begun));
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    private static void CheckShare(string name, int ranks)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(ranks, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ranks, CheckpointManifest.MaxRanks);
        if (CheckpointFiles.FinalName(name) is null)
        {
            throw new ArgumentException($"'{name}' is not the name of an unfinished checkpoint.", nameof(name));
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
