using System.Numerics.Tensors;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Refreshes;
using Streaming.Learning.Bank;
using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Learning.Ranks;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Training;

/// <summary>N trainers over the engines of N ranks train one model: each reads a part of the stream.</summary>
public sealed class TrainerOverRanksTests
{
    private const int Rounds = 60;

    private static readonly TrainerOptions Options = new()
    {
        LearningRate = new LearningRateOptions { Peak = 0.003f, WarmupSteps = 5 },
        Replay = new ReplayOptions
        {
            Ratio = 1.5,
            Capacity = 200,
            EarlierPredictions = 2,
        },
        Bank = new BankOptions
        {
            WarmupSteps = 7,
            MeasureEvery = 10,
            Probes = 16,
        },
        Items = new ItemTableOptions { AdmitAfter = 2 },
        EvaluateEvery = 1,
        UniformNegatives = 16,
    };

    public static TheoryData<TowerKind, LossKind, int> Cases =>
        new()
        {
            { TowerKind.FmrlRec, LossKind.Cbns, 1 },
            { TowerKind.FmrlRec, LossKind.Cbns, 2 },
            { TowerKind.FmrlRec, LossKind.Cbns, 3 },
            { TowerKind.FmrlRec, LossKind.Cbns, 4 },
            { TowerKind.FmrlRec, LossKind.Union, 3 },
            { TowerKind.Gru4Rec, LossKind.Mns, 2 },
            { TowerKind.YoutubeDnn, LossKind.Full, 3 },
            { TowerKind.YoutubeDnn, LossKind.Uniform, 2 },
            { TowerKind.Mind, LossKind.Cbns, 3 },
        };

    /// <summary>Items, frequencies, counts, replay and figures are equal to the bit on every rank, and the model is that of one trainer
    /// that was given the batches of all.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_SharesOfAStream_IsOneTrainerOfTheWhole(TowerKind tower, LossKind loss, int ranks)
    {
        Outcome alone = Alone(tower, loss, ranks, Options);
        Outcome[] together = Together(tower, loss, ranks, Options);

        foreach (Outcome rank in together)
        {
            Assert.Equal(together[0].State, rank.State);
            Assert.Equal(together[0].Parameters, rank.Parameters);
            Assert.Equal(together[0].Losses, rank.Losses);
        }

        Assert.Equal(alone.Losses.Count, together[0].Losses.Count);
        Assert.All(alone.Losses.Zip(together[0].Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(alone.Ranked, together[0].Ranked);

        // Scores that almost tie may change places.
        int moved = alone.Ranks.Zip(together[0].Ranks).Count(static pair => pair.First != pair.Second);
        Assert.InRange(moved, 0, alone.Ranks.Count / 50);
        Assert.Contains(alone.Ranks, static rank => rank != TiedRank.Missing);
    }

    /// <summary>Which examples are ranked follows from measured times, which differ between ranks.</summary>
    [Fact]
    public void Train_ScoringByTime_ReplicasStayEqual()
    {
        TrainerOptions options = Options with
        {
            EvaluateEvery = 0,
            Evaluation = new PrequentialOptions { MaxTimeShare = 0.05 },
        };
        Outcome[] together = Together(TowerKind.FmrlRec, LossKind.Cbns, 3, options);

        Assert.All(together, rank => Assert.Equal(together[0].State, rank.State));
        Assert.All(together, rank => Assert.Equal(together[0].Ranked, rank.Ranked));
        Assert.Contains(0, together[0].Ranked);
    }

    /// <summary>Every item is posted by exactly one rank, with the vector that one trainer would post.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void CollectRefreshes_EachItemIsPostedByTheRankThatStoresIt(int ranks)
    {
        Outcome alone = Alone(TowerKind.FmrlRec, LossKind.Cbns, ranks, Options);
        Outcome[] together = Together(TowerKind.FmrlRec, LossKind.Cbns, ranks, Options);

        var posted = new Dictionary<ulong, Refresh>();
        Assert.All(together, rank => Assert.NotEmpty(rank.Posted));
        foreach (Refresh refresh in together.SelectMany(static rank => rank.Posted))
        {
            Assert.True(posted.TryAdd(refresh.ItemKey, refresh), $"{refresh.ItemId} was posted twice");
        }

        Assert.Equal(
            alone.Posted.Select(static refresh => (refresh.ItemId, refresh.Vector is null)).Order(),
            posted.Values.Select(static refresh => (refresh.ItemId, refresh.Vector is null)).Order()
        );
        Assert.Contains(alone.Posted, static refresh => refresh.Vector is null);
        foreach (Refresh refresh in alone.Posted.Where(static refresh => refresh.Vector is not null))
        {
            float[] other = posted[refresh.ItemKey].Vector!;
            Assert.InRange(TensorPrimitives.Distance<float>(refresh.Vector!, other) / TensorPrimitives.Norm<float>(other), 0, 0.01);
        }
    }

    private static ModelOptions Model(TowerKind tower, LossKind loss) =>
        new()
        {
            Widths = tower is TowerKind.FmrlRec ? [8, 16] : [16],
            Tower = tower,
            Layers = 1,
            Loss = loss,
            ItemCapacity = 128,
            HistoryLength = Batches.HistoryLength,
            BankCapacity = 64,
            Dropout = [0.1f],
            FeatureGroups = [new FeatureGroup("text", 3)],
        };

    private static Outcome Alone(TowerKind tower, LossKind loss, int parts, TrainerOptions options)
    {
        using var engine = new CpuEngine(Model(tower, loss), threads: 1);
        using var trainer = new Trainer(engine, options);
        var merged = new BatchMerger(new SoloCollective());
        var outcome = new Outcome();
        for (int round = 0; round < Rounds; round++)
        {
            // One batch after the other, appended by the code that reads what ranks send.
            Batch all = Batches.Create(16 * parts, round);
            var writer = new BatchWriter();
            for (int part = 0; part < parts; part++)
            {
                if (Share(round, part) is { } share)
                {
                    BatchReader.Append(writer.Write(share), all);
                }
            }

            outcome.Add(trainer.Train(all));
        }

        outcome.End(trainer);
        return outcome;
    }

    private static Outcome[] Together(TowerKind tower, LossKind loss, int ranks, TrainerOptions options)
    {
        var outcomes = new Outcome[ranks];
        InProcessRanks.Run(
            ranks,
            collective =>
            {
                using var engine = new ShardedCpuEngine(Model(tower, loss), threads: 1, collective);
                using var trainer = new Trainer(engine, options);
                var merger = new BatchMerger(collective);
                Batch all = merger.Create(16, Batches.HistoryLength);
                var outcome = new Outcome();
                for (int round = 0; round < Rounds; round++)
                {
                    merger.Merge(Share(round, collective.Rank), all, round);
                    outcome.Add(trainer.Train(all));
                }

                outcome.End(trainer);
                outcomes[collective.Rank] = outcome;
            }
        );
        return outcomes;
    }

    /// <summary>What a part of the stream has in a round: sometimes nothing, sometimes only a change of the catalogue.</summary>
    private static Batch? Share(int round, int part)
    {
        var random = new Random((round * 31) + part);
        if (round > 0 && random.Next(5) == 0)
        {
            return null;
        }

        Batch batch = Batches.Random(random, round, 1 + random.Next(16), 300);
        string changed = $"item-{random.Next(300)}";
        batch.ItemChanges.Add(
            new ItemChange
            {
                ItemKey = Batches.Key(changed),
                ItemId = changed,
                IsRemoved = round % 5 == 0,
                Features = new Dictionary<string, float[]> { ["text"] = [random.NextSingle(), random.NextSingle(), random.NextSingle()] },
            }
        );
        return batch;
    }

    /// <summary>What a trainer did and became.</summary>
    private sealed class Outcome
    {
        public List<double> Losses { get; } = [];

        public List<TiedRank> Ranks { get; } = [];

        public List<int> Ranked { get; } = [];

        public byte[] State { get; private set; } = [];

        public byte[] Parameters { get; private set; } = [];

        public List<Refresh> Posted { get; } = [];

        public void Add(TrainReport report)
        {
            Losses.Add(report.Step.Loss);
            Ranks.AddRange(report.Ranks);
            Ranked.Add(report.Evaluated);
        }

        public void End(Trainer trainer)
        {
            State = TrainerTests.StateBytes(trainer);
            using var stream = new MemoryStream();
            Safetensors.Write(trainer.CopyParameters(), stream, null, TestContext.Current.CancellationToken);
            Parameters = stream.ToArray();
            using var outbox = new RefreshOutbox();
            trainer.RefreshAll();
            trainer.CollectRefreshes(outbox, 1_000);
            trainer.CollectRefreshes(outbox, 10_000_000);
            outbox.Complete();
            var taken = new List<Refresh>();
            while (outbox.TakeAsync(taken, 1_000, CancellationToken.None).AsTask().GetAwaiter().GetResult())
            {
                Posted.AddRange(taken);
                taken.Clear();
            }
        }
    }
}
