using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;

namespace Streaming.Worker.Tests.Commands;

/// <summary>Writes a checkpoint again as one of several ranks.</summary>
internal static class RankedCheckpoint
{
    public static string Write(Checkpoint from, int size, string folder)
    {
        string written = string.Empty;
        string name = string.Empty;
        InProcessRanks.Run(
            size,
            ranks =>
            {
                using var engine = new ShardedCpuEngine(from.Model, 1, ranks);
                using var trainer = new Trainer(engine, new TrainerOptions { EvaluateEvery = -1 });
                from.RestoreTo(trainer, ranks.Rank, ranks.Size);
                IngestState? ingest = from.ReadIngest(
                    new HistoryOptions { Length = 4, MaxUsers = 10 },
                    new DedupOptions { Capacity = 10 },
                    ranks.Rank,
                    ranks.Size
                );
                StreamPosition[] positions = [.. from.Manifest.Positions.Where(position => position.Partition % ranks.Size == ranks.Rank)];
                var store = new CheckpointStore(folder, 1, TimeProvider.System, static _ => { }, new CheckpointFence(7, static () => true));
                name = ranks.Rank == 0 ? store.BeginShared() : name;
                ranks.Barrier();
                TrainerSnapshot snapshot = trainer.BeginSnapshot();
                store
                    .WriteShareAsync(name, ranks.Rank, size, snapshot, ingest?.Share(), positions, CancellationToken.None)
                    .GetAwaiter()
                    .GetResult();
                ranks.Barrier();
                if (ranks.Rank == 0)
                {
                    written = store.CommitAsync(name, size, CancellationToken.None).GetAwaiter().GetResult().FolderPath;
                }
            }
        );
        return written;
    }
}
