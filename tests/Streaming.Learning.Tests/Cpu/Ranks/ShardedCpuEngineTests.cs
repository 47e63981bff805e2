using System.Numerics.Tensors;
using Streaming.Kernels.Softmax;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Cpu.Ranks;

/// <summary>N ranks compute the steps of one engine that has the whole batch.</summary>
public sealed class ShardedCpuEngineTests
{
    private const int Steps = 8;

    public static MatrixTheoryData<TowerKind, int> Towers => new(Enum.GetValues<TowerKind>(), [1, 2, 3, 4]);

    public static TheoryData<LossKind, LogQCorrection, int> Losses =>
        [
            .. from loss in Enum.GetValues<LossKind>()
            from logQ in Enum.GetValues<LogQCorrection>()
            from ranks in new[] { 2, 3 }
            where logQ != LogQCorrection.Corrected || loss is not (LossKind.Full or LossKind.Uniform)
            select (loss, logQ, ranks),
        ];

    [Theory]
    [MemberData(nameof(Towers))]
    public void Step_EveryTower_IsThatOfOneEngine(TowerKind tower, int ranks) => AssertEqual(TestEngines.Options(tower), Even(ranks));

    [Theory]
    [MemberData(nameof(Towers))]
    public void Step_CosinesAndBalancedBank_IsThatOfOneEngine(TowerKind tower, int ranks) =>
        AssertEqual(TestEngines.Options(tower) with { BalanceBank = true, Cosine = true, Temperature = 0.2f }, Even(ranks));

    [Theory]
    [MemberData(nameof(Losses))]
    public void Step_EveryLossAndCorrection_IsThatOfOneEngine(LossKind loss, LogQCorrection logQ, int ranks) =>
        AssertEqual(TestEngines.Options(TowerKind.FmrlRec) with { Loss = loss, LogQ = logQ }, Even(ranks));

    [Theory]
    [InlineData(LossKind.Cbns, LogQCorrection.Classic)]
    [InlineData(LossKind.Union, LogQCorrection.Classic)]
    [InlineData(LossKind.Union, LogQCorrection.Corrected)]
    public void Step_DistinctBank_IsThatOfOneEngine(LossKind loss, LogQCorrection logQ) =>
        AssertEqual(
            TestEngines.Options(TowerKind.FmrlRec) with
            {
                Loss = loss,
                LogQ = logQ,
                DistinctBank = true,
                BalanceBank = true,
            },
            Even(3)
        );

    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(0, 100, 100)]
    [InlineData(0, 0, 0, 100)]
    [InlineData(0, 33, 33, 100)]
    [InlineData(0, 0, 25, 25, 100)]
    [InlineData(0, 7, 8, 91, 100)]
    public void Step_UnevenAndEmptyShares_IsThatOfOneEngine(params int[] cuts)
    {
        AssertEqual(TestEngines.Options(TowerKind.FmrlRec), cuts);
        AssertEqual(TestEngines.Options(TowerKind.Mind) with { Loss = LossKind.Union }, cuts);
    }

    [Theory]
    [InlineData(HitMask.Slot, NormPlacement.After, true, true)]
    [InlineData(HitMask.Id, NormPlacement.After, false, true)]
    [InlineData(HitMask.Id, NormPlacement.Before, true, false)]
    public void Step_MasksNormsAndItemParts_IsThatOfOneEngine(HitMask mask, NormPlacement norm, bool hasIds, bool hasFeatures)
    {
        ModelOptions model = TestEngines.Options(TowerKind.FmrlRec) with
        {
            HitMask = mask,
            ItemIds = hasIds,
            Norm = norm,
            OutputNorm = true,
        };
        AssertEqual(hasFeatures ? model : model with { FeatureGroups = [] }, Even(3));
    }

    [Fact]
    public void Step_RowAdagrad_IsThatOfOneEngine() =>
        AssertEqual(TestEngines.Options(TowerKind.FmrlRec) with { IdOptimizer = IdOptimizer.RowAdagrad }, Even(3));

    [Fact]
    public void Step_PredictionsAtEveryStep_IsThatOfOneEngine() =>
        AssertEqual(TestEngines.Options(TowerKind.FmrlRec), Even(3), everyStep: true);

    [Fact]
    public void Step_SameRanksAgain_GivesTheSameBits()
    {
        ModelOptions model = TestEngines.Options(TowerKind.FmrlRec) with { Loss = LossKind.Union };
        var once = RankRun.OfRanks(model, Batches(model), Steps, [0, 20, 70, 100]);
        var again = RankRun.OfRanks(model, Batches(model), Steps, [0, 20, 70, 100]);
        Assert.Equal(once.Losses, again.Losses);
        Assert.Equal(once.Norms, again.Norms);
        Assert.Equal(once.Values[0], again.Values[0]);
        Assert.Equal(once.Items, again.Items);
    }

    [Fact]
    public void Step_WorldOfOne_GivesTheBitsOfCpuEngine()
    {
        ModelOptions model = TestEngines.Options(TowerKind.FmrlRec) with { Loss = LossKind.Union, BalanceBank = true };
        var one = RankRun.OfOne(model, Batches(model), Steps);
        var ranks = RankRun.OfRanks(model, Batches(model), Steps, Even(1));
        Assert.Equal(one.Losses, ranks.Losses);
        Assert.Equal(one.Values[0], ranks.Values[0]);
        Assert.Equal(one.Items, ranks.Items);
    }

    private static void AssertEqual(ModelOptions model, int[] cuts, bool everyStep = false)
    {
        var one = RankRun.OfOne(model, Batches(model, everyStep), Steps);
        var ranks = RankRun.OfRanks(model, Batches(model, everyStep), Steps, cuts);
        Assert.Equal(one.BankCount, ranks.BankCount);
        Assert.True(one.Norms[0] > 0);
        for (int step = 0; step < Steps; step++)
        {
            for (int k = 0; k < one.Losses[step].Length; k++)
            {
                AssertNear(one.Losses[step][k], ranks.Losses[step][k], 1e-6);
            }

            AssertNear(one.Norms[step], ranks.Norms[step], 5e-6);
            AssertNear(one.Dense[step], ranks.Dense[step], 2e-5);
            AssertNear(one.Rows[step], ranks.Rows[step], 2e-5);
        }

        Assert.All(ranks.Values, values => Assert.Equal(ranks.Values[0], values));
        AssertNear(one.Items, ranks.Items, 1e-5);
    }

    // The bank fills, is used in part, then whole.
    private static Func<int, int, RandomBatch> Batches(ModelOptions model, bool everyStep = false)
    {
        bool draws = model.Loss is LossKind.Uniform or LossKind.Mns or LossKind.Union;
        return (step, bank) =>
            new RandomBatch(
                step,
                sequences: 24,
                model.HistoryLength,
                TestEngines.Items,
                everyStep,
                negatives: draws ? 20 : 0,
                catalogue: model.Loss == LossKind.Full
            )
            {
                Step = step,
                LearningRate = 0.01f,
                Enqueue = model.Loss is LossKind.Cbns or LossKind.Union,
                BankEntries =
                    step < 2 ? 0
                    : step < 4 ? bank / 2
                    : bank,
                DrawnFrom = model.Loss is LossKind.Mns or LossKind.Union ? TestEngines.Items : 0,
            };
    }

    private static int[] Even(int ranks) => [.. Enumerable.Range(0, ranks + 1).Select(rank => 100 * rank / ranks)];

    private static void AssertNear(double expected, double actual, double tolerance) =>
        Assert.True(
            Math.Abs(actual - expected) <= tolerance * Math.Abs(expected),
            $"{actual} instead of {expected}: {Math.Abs(actual - expected) / Math.Abs(expected):E1} relative"
        );

    // Of the whole vector: single values can be near zero.
    private static void AssertNear(float[] expected, float[] actual, double tolerance)
    {
        double distance = TensorPrimitives.Distance<float>(expected, actual) / TensorPrimitives.Norm<float>(expected);
        Assert.True(distance <= tolerance, $"{distance:E1} relative");
    }
}
