using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Learning.Bank;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Training;

/// <summary>The trainer over the real engine.</summary>
public class TrainerOnCpuEngineTests
{
    private static readonly TrainerOptions Options = new()
    {
        LearningRate = new LearningRateOptions { Peak = 0.003f, WarmupSteps = 5 },
        Replay = new ReplayOptions { Ratio = 1.5, Capacity = 200 },
        Bank = new BankOptions
        {
            WarmupSteps = 7,
            MeasureEvery = 10,
            Probes = 16,
        },
        Items = new ItemTableOptions { AdmitAfter = 2 },
        EvaluateEvery = 1,
        EvaluationThreads = 2,
        UniformNegatives = 16,
    };

    /// <summary>
    /// A trainer that is saved, discarded and restored in a new engine continues like one that never stopped: every
    /// parameter, optimizer moment, bank entry, table and figure is bit-identical.
    /// </summary>
    [Theory]
    [InlineData(TowerKind.FmrlRec, LossKind.Cbns)]
    [InlineData(TowerKind.YoutubeDnn, LossKind.Cbns)]
    [InlineData(TowerKind.YoutubeDnn, LossKind.Mns)]
    [InlineData(TowerKind.FmrlRec, LossKind.Union)]
    [InlineData(TowerKind.FmrlRec, LossKind.Union, true)]
    [InlineData(TowerKind.YoutubeDnn, LossKind.Full)]
    public async Task Restore_FromDisk_EqualsNeverStopped(TowerKind tower, LossKind loss, bool distinctBank = false)
    {
        const int Before = 33,
            After = 37;
        ModelOptions model = Model(tower, loss) with { DistinctBank = distinctBank };
        using var engine = new CpuEngine(model, threads: 1);
        using var trainer = new Trainer(engine, Options);
        Run(trainer, 0, Before);

        string directory = Path.Combine(Path.GetTempPath(), "streaming-trainer-" + Path.GetRandomFileName());
        try
        {
            var store = new CheckpointStore(directory, 1, TimeProvider.System, _ => { });
            Task<CheckpointWritten> writing = store.WriteAsync(trainer.BeginSnapshot(), null, [], TestContext.Current.CancellationToken);
            Run(trainer, Before, After);
            await writing;

            // Two threads here, one there.
            using var restoredEngine = new CpuEngine(model, threads: 2);
            using var restored = new Trainer(restoredEngine, Options);
            store.FindNewest()!.RestoreTo(restored);
            Run(restored, Before, After);
            Assert.Equal(EngineBytes(trainer), EngineBytes(restored));
            Assert.Equal(TrainerTests.StateBytes(trainer), TrainerTests.StateBytes(restored));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>A trainer that observes ranks every example as one that trains on the same state: a frozen model's figures are
    /// comparable with a live one's.</summary>
    [Fact]
    public void Observe_OfTheSameState_RanksAsTrainDoesAndChangesNoParameter()
    {
        ModelOptions model = Model(TowerKind.YoutubeDnn, LossKind.Cbns);
        using var engine = new CpuEngine(model, threads: 1);
        using var trainer = new Trainer(engine, Options);
        using var frozenEngine = new CpuEngine(model, threads: 1);
        using var frozen = new Trainer(frozenEngine, Options);
        Run(trainer, 0, 20);
        using (TrainerSnapshot state = trainer.BeginSnapshot())
        {
            frozen.Restore(state.Engine, state.Trainer);
        }

        var random = new Random(5);
        Batch batch = Batches.Random(random, 20, rows: 16, catalogue: 60);
        TiedRank[] trained = trainer.Train(batch).Ranks.ToArray();
        byte[] before = ParameterBytes(frozen);
        TiedRank[] observed = frozen.Observe(batch).Ranks.ToArray();

        Assert.Equal(trained, observed);
        Assert.Equal(16, observed.Length);
        Assert.Contains(observed, static rank => rank != TiedRank.Missing);
        Assert.Equal(before, ParameterBytes(frozen));
        Assert.NotEqual(before, ParameterBytes(trainer));
        for (int width = 0; width < model.Widths.Count; width++)
        {
            Assert.Equal(
                trainer.Evaluator.Total(width, EvaluationSegment.All).Ndcg(10),
                frozen.Evaluator.Total(width, EvaluationSegment.All).Ndcg(10)
            );
        }
    }

    [Fact]
    public void Train_StreamWithStructure_BeatsRecentPopularityAtEveryWidth()
    {
        ModelOptions model = Model(TowerKind.FmrlRec, LossKind.Cbns) with { ItemCapacity = 1_024, Dropout = [0f] };
        using var engine = new CpuEngine(model, threads: 1);
        using var trainer = new Trainer(
            engine,
            Options with
            {
                LearningRate = new LearningRateOptions { Peak = 0.01f, WarmupSteps = 5 },
                Items = new ItemTableOptions(),
                Evaluation = new PrequentialOptions { Cutoffs = [10, 20], Window = 2_000 },
            }
        );
        var random = new Random(1);
        for (int sequence = 0; sequence < 150; sequence++)
        {
            // Users stay within one of sixteen groups of twenty items.
            Batch batch = Batches.Create(32, sequence);
            for (int i = 0; i < 32; i++)
            {
                int group = random.Next(16) * 20;
                string[] history = [.. Enumerable.Range(0, 4).Select(_ => $"i{group + random.Next(20)}")];
                batch.Add($"i{group + random.Next(20)}", history);
            }

            trainer.Train(batch);
        }

        TrainerStatus status = trainer.Status();
        Assert.True(status.BankIsOn);
        foreach (SegmentRecall recall in status.Recall)
        {
            // Popularity finds 20 of 320.
            Assert.True(recall.Recall > 2 * status.Popularity.Recall, $"{string.Join("; ", status.Recall)} against {status.Popularity}");
        }
    }

    private static ModelOptions Model(TowerKind tower, LossKind loss) =>
        new()
        {
            Widths = [8, 16],
            Tower = tower,
            Layers = 1,
            Loss = loss,
            ItemCapacity = 128,
            HistoryLength = Batches.HistoryLength,
            BankCapacity = 64,
            Dropout = [0.1f],
            FeatureGroups = [new FeatureGroup("text", 3)],
        };

    /// <summary>More items than rows, removals, records, partial batches.</summary>
    private static void Run(Trainer trainer, int first, int count)
    {
        for (int sequence = first; sequence < first + count; sequence++)
        {
            var random = new Random(sequence);
            Batch batch = Batches.Random(random, sequence, 1 + random.Next(16), 300);
            string changed = $"item-{random.Next(300)}";
            batch.ItemChanges.Add(
                new ItemChange
                {
                    ItemKey = Batches.Key(changed),
                    ItemId = changed,
                    IsRemoved = sequence % 5 == 0,
                    Features = new Dictionary<string, float[]>
                    {
                        ["text"] = [random.NextSingle(), random.NextSingle(), random.NextSingle()],
                    },
                }
            );
            trainer.Train(batch);
        }
    }

    private static byte[] ParameterBytes(Trainer trainer)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(trainer.CopyParameters(), stream, null, TestContext.Current.CancellationToken);
        return stream.ToArray();
    }

    private static byte[] EngineBytes(Trainer trainer)
    {
        using TrainerSnapshot snapshot = trainer.BeginSnapshot();
        using var stream = new MemoryStream();
        Safetensors.Write(snapshot.Engine, stream, null, TestContext.Current.CancellationToken);
        return stream.ToArray();
    }
}
