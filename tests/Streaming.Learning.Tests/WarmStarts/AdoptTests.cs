using System.Runtime.InteropServices;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Learning.Bank;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Frequency;
using Streaming.Learning.Replay;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Learning.WarmStarts;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.WarmStarts;

public sealed class AdoptTests : IDisposable
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8, 12],
        Layers = 1,
        ItemCapacity = 128,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 32,
        FeatureGroups = [new FeatureGroup("text", 3)],
        ItemDeviation = 0.3f,
    };

    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Capacity = 64, Ratio = 0.5 },
        EvaluateEvery = -1,
        Bank = new BankOptions { WarmupSteps = 3 },
    };
    private readonly string _directory = Directory.CreateTempSubdirectory("streaming-adopt-").FullName;
    private readonly List<IDisposable> _disposables = [];

    public void Dispose()
    {
        _disposables.ForEach(item => item.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void Adopt_OtherSizesOfTables_IsTheSameModelToTheBit()
    {
        Trainer old = Trained();
        Trainer next = Create(
            Model with
            {
                ItemCapacity = 300,
                BankCapacity = 48,
                Seed = 9,
            },
            Options with
            {
                Frequency = new FrequencyOptions { Slots = 4096 },
                Replay = new ReplayOptions { Capacity = 200, Ratio = 0.5 },
            }
        );

        WarmStart start = Save(old).AdoptTo(next, whole: true);
        Assert.Empty(start.Left);
        Assert.Equal(old.Items.Count, next.Items.Count);
        Assert.Equal(old.Counters.Steps, next.Counters.Steps);
        foreach (int row in old.Items.Rows)
        {
            int there = next.Items.Find(old.Items.KeyOf(row));
            Assert.Equal(old.Items.IdOf(row), next.Items.IdOf(there));
            Assert.Equal(old.Items.EventsOf(row), next.Items.EventsOf(there));
            Assert.Equal(Item(old, row), Item(next, there));
            if (old.Items.EventsOf(row) > 0)
            {
                Assert.Equal(old.Frequency.Probability(old.Items.KeyOf(row)), next.Frequency.Probability(old.Items.KeyOf(row)), 1e-9);
            }
        }

        string[] history = ["item-1", "item-2", "item-1"];
        Assert.Equal(User(old, history), User(next, history));
        Assert.Equal(Bank(old).Entries, Bank(next).Entries);
        Assert.Equal(Bank(old).Vectors, Bank(next).Vectors);
        Assert.Equal(old.Status().ReplayCount, next.Status().ReplayCount);
        Assert.True(next.Status().BankIsOn);
        Assert.True(next.Train(Batches.Random(new Random(1), 0, 16, 40)).Step.IsApplied);
    }

    /// <summary>Entries of distinct items come with their ages; entries that may repeat have none, and are left behind.</summary>
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public void Adopt_DistinctBank_IsTakenFromALikeOne(bool old, bool next, bool taken)
    {
        Trainer from = Trained(Model with { DistinctBank = old });
        Trainer to = Create(Model with { DistinctBank = next, BankCapacity = 48 }, Options);

        WarmStart start = Save(from).AdoptTo(to, whole: true);

        Assert.True(from.Engine.BankCount > 0);
        Assert.Equal(taken ? Bank(from).Entries : string.Empty, Bank(to).Entries);
        Assert.Equal(taken ? Bank(from).Vectors : [], Bank(to).Vectors);
        Assert.Equal(taken ? Ages(from) : [], Ages(to));
        Assert.Equal(taken ? [] : [$"the bank, because Model.DistinctBank is {next}, the other has {old}"], start.Left);
        Assert.True(to.Train(Batches.Random(new Random(1), 0, 16, 40)).Step.IsApplied);
    }

    [Theory]
    [InlineData("4,8,12,20", 12)]
    [InlineData("4,8", 8)]
    public void Adopt_MoreOrFewerWidths_KeepsWhatTheCommonOnesCompute(string widths, int common)
    {
        Trainer old = Trained();
        Trainer next = Create(Model with { Widths = [.. widths.Split(',').Select(int.Parse)] }, Options);

        WarmStart start = Save(old).AdoptTo(next, whole: false);
        Assert.Contains("user tower", start.Taken);
        Assert.Equal(0, next.Counters.Steps);
        foreach (int row in old.Items.Rows)
        {
            Near(Item(old, row).AsSpan(0, common), Item(next, next.Items.Find(old.Items.KeyOf(row))).AsSpan(0, common));
        }

        string[] history = ["item-3", "item-2", "item-1", "item-3"];
        Near(User(old, history).AsSpan(0, common), User(next, history).AsSpan(0, common));
        Assert.True(next.Train(Batches.Random(new Random(1), 0, 16, 40)).Step.IsApplied);
    }

    [Fact]
    public void Adopt_NewFeatureGroup_KeepsTheOldOnesPart()
    {
        Trainer old = Trained();
        Trainer next = Create(Model with { FeatureGroups = [new FeatureGroup("image", 5), new FeatureGroup("text", 3)] }, Options);

        Assert.Contains("item projection", Save(old).AdoptTo(next, whole: false).Taken);
        foreach (int row in old.Items.Rows)
        {
            Near(Item(old, row), Item(next, next.Items.Find(old.Items.KeyOf(row))));
        }

        Near(User(old, ["item-1"]), User(next, ["item-1"]));
    }

    [Fact]
    public void Adopt_AnotherTower_IsRefusedWholeAndKeepsTheItemsOtherwise()
    {
        Trainer old = Trained();
        Checkpoint checkpoint = Save(old);
        ModelOptions model = Model with { Tower = TowerKind.Gru4Rec, Widths = [4, 8, 16] };

        StateMismatchException refused = Assert.Throws<StateMismatchException>(() =>
            checkpoint.AdoptTo(Create(model, Options), whole: true)
        );
        Assert.Contains("Model.Tower is Gru4Rec, the other has FmrlRec", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Model.Widths is 4,8,16, the other has 4,8,12", refused.Message, StringComparison.Ordinal);

        Trainer next = Create(model, Options);
        WarmStart start = checkpoint.AdoptTo(next, whole: false);
        Assert.Contains("user tower", start.Left);
        Assert.Equal(old.Items.Count, next.Items.Count);
        Assert.True(next.Train(Batches.Random(new Random(1), 0, 16, 40)).Step.IsApplied);
    }

    [Fact]
    public void Adopt_RoomForFewerItems_KeepsTheWarmest()
    {
        Trainer old = Trained();
        Trainer next = Create(Model with { ItemCapacity = 12 }, Options);

        Save(old).AdoptTo(next, whole: true);
        Assert.Equal(11, next.Items.Count);
        long least = next.Items.Rows.ToArray().Min(next.Items.EventsOf);
        Assert.True(
            least >= old.Items.Rows.ToArray().Select(old.Items.EventsOf).Order().ElementAt(old.Items.Count / 2),
            $"the coldest kept has {least} events"
        );
    }

    private static float[] Item(Trainer trainer, int row)
    {
        float[] vector = new float[trainer.Model.Dimension];
        trainer.Engine.EncodeItems([row], vector);
        return vector;
    }

    private static float[] User(Trainer trainer, string[] history)
    {
        float[] vector = new float[trainer.Model.Dimension];
        int[] rows = [.. history.Select(id => trainer.Items.RowOf(Batches.Key(id)))];
        trainer.Engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, vector);
        return vector;
    }

    /// <summary>The item and step of each entry, and all vectors.</summary>
    private static (string Entries, float[] Vectors) Bank(Trainer trainer)
    {
        int count = trainer.Engine.BankCount,
            d = trainer.Model.Dimension;
        (int[]? rows, long[]? steps, float[]? vectors) = (new int[count], new long[count], new float[count * d]);
        trainer.Engine.ReadBank([.. Enumerable.Range(0, count)], rows, steps, vectors);
        return (string.Join(';', Enumerable.Range(0, count).Select(i => $"{trainer.Items.IdOf(rows[i])} {steps[i]}")), vectors);
    }

    /// <summary>Ages in draws; none where the bank's entries may repeat.</summary>
    private static long[] Ages(Trainer trainer)
    {
        using TensorSnapshot snapshot = trainer.Engine.BeginSnapshot();
        int tensor = snapshot.Tensors.ToList().FindIndex(info => info.Name == "bank.ages");
        long[] ages = new long[tensor < 0 ? 0 : trainer.Engine.BankCount];
        if (tensor >= 0)
        {
            snapshot.Read(tensor, 0, MemoryMarshal.AsBytes(ages.AsSpan()));
        }

        return ages;
    }

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5f);
        }
    }

    private Trainer Create(ModelOptions model, TrainerOptions options)
    {
        var engine = new CpuEngine(model, threads: 1);
        var trainer = new Trainer(engine, options);
        _disposables.AddRange([trainer, engine]);
        return trainer;
    }

    private Trainer Trained(ModelOptions? model = null)
    {
        Trainer trainer = Create(model ?? Model, Options);
        var random = new Random(3);
        Batch records = Batches.Create();
        for (int i = 0; i < 30; i++)
        {
            records.ItemChanges.Add(
                new ItemChange
                {
                    ItemId = $"item-{i}",
                    ItemKey = Batches.Key($"item-{i}"),
                    Features = new Dictionary<string, float[]>
                    {
                        ["text"] = [random.NextSingle(), random.NextSingle(), random.NextSingle()],
                    },
                }
            );
        }

        trainer.Train(records);
        for (int step = 1; step <= 12; step++)
        {
            trainer.Train(Batches.Random(random, step, 16, 40));
        }

        return trainer;
    }

    private Checkpoint Save(Trainer trainer)
    {
        var store = new CheckpointStore(_directory, 1, TimeProvider.System, _ => { });
        return Checkpoint.Open(
            store.WriteAsync(trainer.BeginSnapshot(), null, [], CancellationToken.None).GetAwaiter().GetResult().FolderPath
        );
    }
}
