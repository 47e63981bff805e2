using Streaming.Learning.Bank;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;
using Streaming.Learning.Tests.Training;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Bank;

public sealed class BankPolicyTests : IDisposable
{
    private const int Capacity = 1024;
    private const int BatchRows = 16;
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = 128,
        BankCapacity = Capacity,
    };
    private readonly FakeEngine _engine = new(Model);
    private readonly ItemTable _items;
    private long _step;

    public BankPolicyTests()
    {
        _items = new ItemTable(_engine, new ItemTableOptions());
        for (int i = 0; i < 100; i++)
        {
            _items.Touch(Batches.Key($"i{i}"), System.Text.Encoding.UTF8.GetBytes($"i{i}"), 1);
        }
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Entries_FixedWarmup_OffUntilThatStepThenOn()
    {
        BankPolicy policy = Policy(new BankOptions { WarmupSteps = 5 });
        for (int step = 0; step < 5; step++)
        {
            Assert.Equal(0, policy.Entries);
            Step(policy);
        }

        Assert.Equal(5 * BatchRows, policy.Entries);
    }

    [Fact]
    public void Entries_WarmupOfZeroSteps_OnAtOnce()
    {
        BankPolicy policy = Policy(new BankOptions { WarmupSteps = 0 });
        policy.Start(0);
        Assert.True(policy.IsOn);
    }

    [Fact]
    public void Entries_WarmupByDrift_WaitsUntilTheEmbeddingsAreCalm()
    {
        BankPolicy policy = Policy(new BankOptions { WarmupDrift = 0.05 });
        _engine.Drift = 0.05f;
        Steps(policy, 100);
        Assert.False(policy.IsOn);
        Assert.True(policy.Drift[2] > 0.05);

        _engine.Drift = 0;
        Steps(policy, 60);
        Assert.True(policy.IsOn);
    }

    [Fact]
    public void Entries_WarmupByDrift_NotWhileTheLearningRateRises()
    {
        var policy = new BankPolicy(_engine, _items, new BankOptions(), learningRateWarmup: 200);
        Steps(policy, 199);
        Assert.False(policy.IsOn);
        Steps(policy, 1);
        Assert.True(policy.IsOn);
    }

    [Fact]
    public void Drift_ConstantMove_IsProportionalToTheDistanceInSteps()
    {
        BankPolicy policy = Policy(new BankOptions());
        _engine.Drift = 0.001f;
        Steps(policy, 60);
        Assert.Equal(5, policy.Drift[1] / policy.Drift[0], tolerance: 0.1);
        Assert.Equal(10, policy.Drift[2] / policy.Drift[0], tolerance: 0.2);

        // ‖Δ‖ of a step is 0.001·√8 for each of the 100 items.
        double norms = Enumerable.Range(0, _items.Count).Average(i => Norm(_engine.Embedding(_items.Rows[i])));
        Assert.Equal(0.001 * Math.Sqrt(8) / norms, policy.Drift[0], tolerance: 0.0002);
    }

    [Fact]
    public void Staleness_ConstantMove_GrowsWithAgeAndMatchesTheFormula()
    {
        BankPolicy policy = Policy(new BankOptions());
        _engine.Drift = 0.001f;
        Steps(policy, 80);
        double[] staleness = policy.Staleness.ToArray();
        for (int stratum = 1; stratum < staleness.Length; stratum++)
        {
            Assert.True(staleness[stratum] >= staleness[stratum - 1]);
        }

        // The oldest stratum: 32 … 63 steps old; ‖Δ‖² = (age · 0.001)² · 8.
        double norms = Enumerable.Range(0, _items.Count).Average(i => Math.Pow(Norm(_engine.Embedding(_items.Rows[i])), 2));
        double meanSquareAge = Enumerable.Range(32, 32).Average(age => (double)age * age);
        Assert.Equal(1, staleness[^1] / (meanSquareAge * 1e-6 * 8 / norms), tolerance: 0.15);
    }

    /// <summary>The planted drift: the effective size falls when the embeddings move and recovers when they are calm.</summary>
    [Fact]
    public void Entries_PlantedDrift_ShrinksThenRecovers()
    {
        BankPolicy policy = Policy(new BankOptions { WarmupSteps = 0, MaxStaleness = 0.1 });
        policy.Start(0);
        Steps(policy, 100);
        Assert.Equal(Capacity, policy.Entries);

        // 0.1 per step in each coordinate, with coordinates within ±1: entries a few steps old are stale.
        _engine.Drift = 0.1f;
        Steps(policy, 20);
        int shrunk = policy.Entries;
        Assert.InRange(shrunk, 0, Capacity / 4);

        _engine.Drift = 0;
        Steps(policy, 20);
        int recovering = policy.Entries;
        Assert.InRange(recovering, shrunk + 1, Capacity - 1);
        Steps(policy, 60);
        Assert.Equal(Capacity, policy.Entries);
    }

    [Fact]
    public void Entries_NoStalenessLimit_UsesAll()
    {
        BankPolicy policy = Policy(new BankOptions { WarmupSteps = 0, MaxStaleness = double.PositiveInfinity });
        policy.Start(0);
        _engine.Drift = 0.5f;
        Steps(policy, 100);
        Assert.Equal(Capacity, policy.Entries);
    }

    [Theory]
    [InlineData(LossKind.InBatch)]
    [InlineData(LossKind.Mns)]
    [InlineData(LossKind.Uniform)]
    public void HasBank_OtherLoss_IsFalse(LossKind loss)
    {
        using var engine = new FakeEngine(Model with { Loss = loss });
        var items = new ItemTable(engine, new ItemTableOptions());
        var policy = new BankPolicy(engine, items, new BankOptions { WarmupSteps = 0 }, 0);
        policy.Start(0);
        Assert.False(policy.HasBank);
        Assert.Equal(0, policy.Entries);
    }

    [Fact]
    public void SaveLoad_InTheMiddleOfARound_ContinuesIt()
    {
        BankPolicy original = Policy(new BankOptions());
        _engine.Drift = 0.01f;
        Steps(original, 44);
        var saved = new TensorSet();
        original.Save(saved);
        BankPolicy restored = Policy(new BankOptions());
        restored.Load(new TensorReader(saved));
        for (int i = 0; i < 80; i++)
        {
            Step(original, restored);
            Assert.Equal(original.Entries, restored.Entries);
            Assert.Equal(original.Drift.ToArray(), restored.Drift.ToArray());
            Assert.Equal(original.Staleness.ToArray(), restored.Staleness.ToArray());
        }
    }

    private static double Norm(ReadOnlySpan<float> vector) => Math.Sqrt(vector.ToArray().Sum(value => (double)value * value));

    private BankPolicy Policy(BankOptions options) => new(_engine, _items, options, learningRateWarmup: 0);

    private void Steps(BankPolicy policy, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Step(policy);
        }
    }

    private void Step(params BankPolicy[] policies)
    {
        int[] rows = [.. Enumerable.Range(0, BatchRows).Select(i => _items.Rows[(int)((_step * BatchRows) + i) % _items.Count])];
        _engine.Step(
            new TrainingBatch
            {
                Sequences = new JaggedRows { Rows = [], Offsets = new int[BatchRows + 1] },
                PredictionSteps = new int[BatchRows],
                Positives = rows,
                Weights = new float[BatchRows],
                LogQ = new float[BatchRows],
                EnqueuePositives = true,
                Step = _step++,
            }
        );
        foreach (BankPolicy policy in policies)
        {
            policy.AfterStep(_step);
        }
    }
}
