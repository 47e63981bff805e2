using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Replay;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Tests.Checkpoints;

/// <summary>The ranks of a job over a real folder: in-process ranks, each with the engine's rows and the users that are its own.</summary>
internal sealed class RankedJob(string directory, List<string> warnings, uint token = 0)
{
    public const int Partitions = 5;
    public const int Users = 60;
    public static readonly HistoryOptions Histories = new() { Length = 12, MaxUsers = 1000 };
    public static readonly DedupOptions Dedup = new() { Capacity = 1000 };

    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = 64,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 16,
        FeatureGroups = [new FeatureGroup("text", 3)],
        ItemDeviation = 0.3f,
    };

    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Capacity = 32 },
        EvaluateEvery = -1,
        LearningRate = new LearningRateOptions { Peak = 0.01f },
    };

    /// <summary>Gets or sets what happens between the two phases, on rank 0, to the unfinished folder.</summary>
    public Action<string> BeforeCommit { get; set; } = static _ => { };

    /// <summary>Gets or sets what happens to a rank's trainer before its snapshot.</summary>
    public Action<int, Trainer> BeforeSnapshot { get; set; } = static (_, _) => { };

    /// <summary>Gets or sets the positions that a rank reports; the default: those of its partitions.</summary>
    public Func<int, int, StreamPosition[]> PositionsOf { get; set; } = Positions;

    public CheckpointStore Store() =>
        new(directory, 3, TimeProvider.System, warnings.Add, token == 0 ? null : new CheckpointFence(token, static () => true));

    /// <summary>Ranks begin a model, train it, and write a checkpoint of it.</summary>
    public CheckpointWritten Begin(int size) => Run(size, static (ranks, _) => Ingest(ranks.Rank, ranks.Size), steps: 6);

    /// <summary>Ranks continue from the newest checkpoint, train on, and write the next.</summary>
    public CheckpointWritten Continue(int size, int steps = 0) => Run(size, Restore, steps);

    /// <summary>Ranks begin a model from another one's checkpoint, and write a checkpoint of it.</summary>
    public CheckpointWritten Adopt(int size, Checkpoint other) =>
        Run(
            size,
            (ranks, trainer) =>
            {
                other.AdoptTo(trainer, whole: true, other.Manifest.Sequence);
                return other.ReadIngest(Histories, Dedup, ranks.Rank, ranks.Size)!;
            },
            steps: 0
        );

    /// <summary>The state of one engine with all rows.</summary>
    public static byte[] EngineBytes(Checkpoint checkpoint)
    {
        using TensorSource engine = checkpoint.OpenEngine();
        return Bytes(engine);
    }

    /// <summary>The state outside the engine.</summary>
    public static byte[] TrainerBytes(Checkpoint checkpoint)
    {
        using SafetensorsReader trainer = checkpoint.OpenTrainer();
        return Bytes(trainer);
    }

    public static StreamPosition[] Positions(int rank, int size) =>
        [
            .. Enumerable
                .Range(0, Partitions)
                .Where(partition => partition % size == rank)
                .Select(partition => new StreamPosition("interactions", partition, 100 + partition)),
        ];

    private CheckpointWritten Run(int size, Func<Collective, Trainer, IngestState> start, int steps)
    {
        CheckpointWritten written = default;
        InProcessRanks.Run(
            size,
            ranks =>
            {
                using CpuEngine engine = size == 1 ? new CpuEngine(Model, 1) : new ShardedCpuEngine(Model, 1, ranks);
                using var trainer = new Trainer(engine, Options);
                IngestState ingest = start(ranks, trainer);
                Train(trainer, steps);
                BeforeSnapshot(ranks.Rank, trainer);
                CheckpointWritten done = Write(ranks, trainer, ingest);
                written = ranks.Rank == 0 ? done : written;
            }
        );
        return written;
    }

    private IngestState Restore(Collective ranks, Trainer trainer)
    {
        Checkpoint from = Store().FindNewest(ranks) ?? throw new InvalidOperationException("There is no checkpoint.");
        from.RestoreTo(trainer, ranks.Rank, ranks.Size);
        return from.ReadIngest(Histories, Dedup, ranks.Rank, ranks.Size) ?? throw new InvalidOperationException("It has no histories.");
    }

    private CheckpointWritten Write(Collective ranks, Trainer trainer, IngestState ingest)
    {
        CheckpointStore store = Store();
        StreamPosition[] positions = PositionsOf(ranks.Rank, ranks.Size);
        if (ranks.Size == 1)
        {
            return store.WriteAsync(trainer.BeginSnapshot(), ingest.Share(), positions, CancellationToken.None).GetAwaiter().GetResult();
        }

        char[] name = new char[100];
        if (ranks.Rank == 0)
        {
            store.BeginShared().CopyTo(name);
        }

        ranks.Broadcast<char>(name, root: 0);
        string shared = new string(name).TrimEnd('\0');
        TrainerSnapshot snapshot = trainer.BeginSnapshot();
        store
            .WriteShareAsync(shared, ranks.Rank, ranks.Size, snapshot, ingest.Share(), positions, CancellationToken.None)
            .GetAwaiter()
            .GetResult();
        ranks.Barrier();
        CheckpointWritten written = default;
        if (ranks.Rank == 0)
        {
            BeforeCommit(Path.Combine(directory, shared));
            written = store.CommitAsync(shared, ranks.Size, CancellationToken.None).GetAwaiter().GetResult();
        }

        ranks.Barrier();
        return written;
    }

    /// <summary>All ranks train on the same batches; the state above the engine is the same on each.</summary>
    private static void Train(Trainer trainer, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            long sequence = trainer.Sequence + 1;
            trainer.Train(Batches.Random(new Random((int)sequence), sequence, 16, 40));
        }
    }

    private static IngestState Ingest(int rank, int size)
    {
        var state = new IngestState(Histories, Dedup);
        ulong[] before = new ulong[Histories.Length];
        var random = new Random(9);
        for (int i = 0; i < 600; i++)
        {
            int user = i < Users ? i : random.Next(Users);
            ulong item = (ulong)random.Next(40);
            if (user % Partitions % size == rank)
            {
                state.Histories.Append((ulong)user, item, i, 0, before, user % Partitions);
                state.Dedup.TryAdd((ulong)i, 1_000);
            }
        }

        return state;
    }

    private static byte[] Bytes(TensorSource source)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(source, stream);
        return stream.ToArray();
    }
}
