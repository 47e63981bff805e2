using System.Text.RegularExpressions;
using Streaming.Learning.Engine;
using Streaming.Learning.Tests.Engine;
using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;
using TorchSharp;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Engine;

public class TorchEngineTests
{
    private static readonly ModelOptions Small = new()
    {
        Widths = [4, 8, 16],
        Cosine = false,
        Temperature = 1,
        HistoryLength = 9,
        ItemCapacity = 64,
        BankCapacity = 30,
        Dropout = [0.3f],
        FeatureGroups = [new("text", 5)],
    };

    [Fact]
    public void Step_ManyTimes_LeavesNoTensorBehind()
    {
        using TorchEngine engine = Engine(Small);
        var batches = Enumerable.Range(0, 5).Select(i => Batch(i)).ToList();
        Work(engine, batches, 3);
        long before = TensorsAfterOtherTests();

        Work(engine, batches, ManySteps);

        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void Dispose_Engine_FreesEveryTensor()
    {
        Engine(Small).Dispose();
        long before = TensorsAfterOtherTests();

        TorchEngine engine = Engine(Small);
        Work(engine, [Batch(1)], 2);
        int parameters = engine
            .State()
            .Keys.Where(name => name.EndsWith(".adam_m", StringComparison.Ordinal) && name != "items.embedding.adam_m")
            .Select(name => Regex.Replace(name, @"\.weight\.\d+\.", ".weight."))
            .Distinct()
            .Count();
        engine.Dispose();

        // TorchSharp counts a parameter twice but uncounts it once: its constructor moves another tensor's handle.
        Assert.Equal(before + parameters, torch.Tensor.TotalCount);
    }

    [Fact]
    public void Step_LossNotFinite_ChangesNothing()
    {
        using TorchEngine engine = Engine(Small);
        engine.Step(Batch(1).Batch);
        Dictionary<string, double[]> before = engine.State();
        RandomBatch poisoned = Batch(2);
        poisoned.LogQ[0] = float.NegativeInfinity;

        StepResult result = engine.Step(poisoned.Batch);

        Assert.False(result.IsApplied);
        Assert.False(double.IsFinite(result.Loss));
        Assert.Equal(before, engine.State());
    }

    [Fact]
    public void Step_LossReadLate_SameStateAsReadAlways()
    {
        using TorchEngine always = Engine(Small with { Dropout = [0] });
        using TorchEngine late = Engine(Small with { Dropout = [0] }, TestDevice.Options with { ReadLossEvery = 4 });
        StepResult last = default;
        for (int i = 0; i < 8; i++)
        {
            always.Step(Batch(i).Batch);
            last = late.Step(Batch(i).Batch);
        }

        Assert.True(last.IsApplied);
        Assert.Equal(always.State(), late.State());
    }

    // New items, a bank of distinct ones, features: all that a step sends to the device goes without waiting.
    [Fact]
    public void Step_LossReadLate_HostWaitsForNothingElse()
    {
        ModelOptions model = Small with { Loss = LossKind.Union, DistinctBank = true, Dropout = [0] };
        using TorchEngine engine = Engine(model, TestDevice.Options with { ReadLossEvery = 4 });
        for (int i = 0; i < 10; i++)
        {
            engine.InitializeRow(40 + i, (ulong)i);
            engine.SetFeatures(40 + i, [1, 2, 3, 4, i]);
            engine.Step(Batch(i).Batch);
        }

        Assert.Equal(2, engine.Waits);
        engine.EncodeItems([1, 2], new float[2 * 16]);
        Assert.Equal(3, engine.Waits);
    }

    [Fact]
    public void Step_NotFiniteAndReadLate_IsReportedAtTheNextReadingAndKeepsParametersFinite()
    {
        using TorchEngine engine = Engine(Small, TestDevice.Options with { ReadLossEvery = 2 });
        RandomBatch poisoned = Batch(2);
        poisoned.LogQ[0] = float.NegativeInfinity;
        Assert.False(engine.Step(poisoned.Batch).IsRead);

        StepResult result = engine.Step(Batch(3).Batch);

        Assert.Equal((true, false), (result.IsRead, result.IsApplied));
        Assert.Equal(1, engine.State()["optimizer.counters"][0]);
        Assert.All(
            engine.State().Where(tensor => tensor.Key != "bank.log_q"),
            tensor => Assert.All(tensor.Value, value => Assert.True(double.IsFinite(value), tensor.Key))
        );
        Assert.True(double.IsFinite(engine.Step(Batch(4).Batch).Loss));
    }

    [Fact]
    public void Step_Dropout_DependsOnSeedAndStepOnly()
    {
        using TorchEngine first = Engine(Small);
        using TorchEngine second = Engine(Small);
        second.EncodeUsers(Batch(9).Sequences, new float[Batch(9).Sequences.Count * 16]);

        first.Step(Batch(1).Batch);
        second.Step(Batch(1).Batch);

        Assert.Equal(first.State(), second.State());
        using TorchEngine other = Engine(Small with { Seed = 2 });
        other.Step(Batch(1).Batch);
        Assert.NotEqual(first.State()["tower.start"], other.State()["tower.start"]);
    }

    [Fact]
    public void EncodeUsers_AnyBatch_SameVectorsAsAlone()
    {
        using TorchEngine engine = Engine(Small);
        engine.Step(Batch(1).Batch);
        RandomBatch batch = Batch(3);
        float[] together = new float[batch.Sequences.Count * 16];
        engine.EncodeUsers(batch.Sequences, together);

        float[] alone = new float[16];
        for (int s = 0; s < batch.Sequences.Count; s++)
        {
            int[] rows = batch.Rows[batch.Offsets[s]..batch.Offsets[s + 1]];
            engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, alone);
            Near.Equal($"user {s}", [.. alone.Select(value => (double)value)], together[(s * 16)..((s + 1) * 16)], 1e-5);
        }
    }

    [Fact]
    public void Restore_OwnSnapshot_ContinuesIdentically()
    {
        using TorchEngine engine = Engine(Small);
        engine.Step(Batch(1).Batch);
        using TorchEngine copy = Engine(Small);
        using (TensorSnapshot snapshot = engine.BeginSnapshot())
        {
            copy.Restore(snapshot);
        }

        engine.Step(Batch(2).Batch);
        copy.Step(Batch(2).Batch);

        Assert.Equal(engine.State(), copy.State());
    }

    [Fact]
    public void Restore_OtherWidths_NamesTheTensorAndChangesNothing()
    {
        using TorchEngine engine = Engine(Small);
        using TorchEngine other = Engine(Small with { Widths = [4, 8, 12] });
        Dictionary<string, double[]> before = other.State();
        using TensorSnapshot snapshot = engine.BeginSnapshot();

        StateMismatchException error = Assert.Throws<StateMismatchException>(() => other.Restore(snapshot));

        Assert.Contains("[", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, other.State());
    }

    [Fact]
    public void BeginSnapshot_WhileOneIsOpen_IsRefused()
    {
        using TorchEngine engine = Engine(Small);
        using TensorSnapshot snapshot = engine.BeginSnapshot();

        Assert.Throws<InvalidOperationException>(() => engine.BeginSnapshot());
    }

    [Fact]
    public async Task Snapshot_ReadOnAnotherThreadWhileTraining_ShowsTheStateOfItsBeginning()
    {
        using TorchEngine engine = Engine(Small);
        engine.Step(Batch(1).Batch);
        Dictionary<string, double[]> before = engine.State();
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        engine.Step(Batch(2).Batch);

        byte[] bytes = await Task.Run(
            () =>
            {
                byte[] copy = new byte[snapshot.Tensors[0].ByteCount()];
                snapshot.Read(0, 2, copy.AsSpan(2));
                snapshot.Read(0, 0, copy.AsSpan(0, 2));
                return copy;
            },
            TestContext.Current.CancellationToken
        );

        double[] values = [.. Enumerable.Range(0, bytes.Length / 4).Select(i => (double)BitConverter.ToSingle(bytes, 4 * i))];
        Assert.Equal(before[snapshot.Tensors[0].Name], values);
    }

    [Fact]
    public void Release_WholeTensors_FreesTheirCopiesAndNoOthers()
    {
        using TorchEngine engine = Engine(Small);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        long held = TensorsAfterOtherTests();

        snapshot.Release(0, snapshot.Tensors[0].ByteCount() - 1);
        snapshot.Release(1, snapshot.Tensors[1].ByteCount());
        snapshot.Release(1, snapshot.Tensors[1].ByteCount());

        Assert.Equal(held - 1, torch.Tensor.TotalCount);
        snapshot.Read(1, 0, new byte[4]);
        snapshot.Read(0, 0, new byte[4]);
    }

    /// <summary>Steps after which a leak would show.</summary>
    protected virtual int ManySteps => 100;

    /// <summary>Opens what runs kernels; null: torch's operations.</summary>
    internal virtual IKernelDevice? Kernels() => null;

    private TorchEngine Engine(ModelOptions model, TorchEngineOptions? options = null)
    {
        IKernelDevice? kernels = Kernels();
        options = (options ?? TestDevice.Options) with { Kernels = kernels is null ? KernelMode.Off : KernelMode.On };
        var engine = new TorchEngine(model, options, kernels);
        for (int row = 0; row < 40; row++)
        {
            engine.InitializeRow(row, (ulong)row);
            engine.SetFeatures(row, [row, 1, 2, -1, 0.5f * row]);
        }

        return engine;
    }

    private static void Work(TorchEngine engine, List<RandomBatch> batches, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            RandomBatch batch = batches[i % batches.Count];
            engine.InitializeRow(41, (ulong)i);
            engine.Step(batch.Batch);
            engine.EncodeUsers(batch.Sequences, new float[batch.Sequences.Count * 16]);
            engine.EncodeItems([1, 2, 3], new float[3 * 16]);
            engine.ReadBank([0, 1], new int[2], new long[2], new float[2 * 16]);
            engine.ForgetRow(3);
            engine.BeginSnapshot().Dispose();
        }
    }

    /// <summary>How many tensors there are, without those that other tests have left to the collector, which may come at any time.</summary>
    private static long TensorsAfterOtherTests()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    private static RandomBatch Batch(int seed) =>
        new(seed, 8, 9, 40)
        {
            LearningRate = 0.01f,
            Step = seed,
            Enqueue = true,
            BankEntries = 20,
        };
}
