using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Tests;
using Xunit;

namespace Streaming.Learning.Tests.Cpu.Ranks;

/// <summary>What a shared step does beside the numbers: refusals, allocations, bytes.</summary>
public sealed class ShardedStepTests
{
    private static readonly ModelOptions Model = TestEngines.Options(TowerKind.FmrlRec) with { Loss = LossKind.Union };

    [Theory]
    [InlineData("Positives contains row 64")]
    [InlineData("Weights contains -1")]
    [InlineData("Weights contains Infinity")]
    public void Step_OneRankHasAnInvalidShare_AllRanksThrowAndNothingChanges(string words)
    {
        Exception?[] errors = Try(
            (batch, rank) =>
            {
                if (rank == 1)
                {
                    batch.Positives[^1] = words.EndsWith("64", StringComparison.Ordinal) ? 64 : 3;
                    batch.Weights[^1] =
                        words.EndsWith("-1", StringComparison.Ordinal) ? -1
                        : words.EndsWith("Infinity", StringComparison.Ordinal) ? float.PositiveInfinity
                        : 1;
                }
            }
        );
        Assert.Contains(words, Assert.IsType<ArgumentException>(errors[1]).Message, StringComparison.Ordinal);
        Assert.Contains("Rank 1 refused", Assert.IsType<InvalidOperationException>(errors[0]).Message, StringComparison.Ordinal);
        Assert.Contains("Rank 1 refused", Assert.IsType<InvalidOperationException>(errors[2]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_RanksAtOtherSteps_AllThrowAndNameBoth()
    {
        Exception?[] errors = Try((batch, rank) => batch.Step = rank == 2 ? 8 : 7);
        Assert.All(
            errors,
            error =>
            {
                string message = Assert.IsType<InvalidOperationException>(error).Message;
                Assert.Contains("Step = 7", message, StringComparison.Ordinal);
                Assert.Contains("rank 2", message, StringComparison.Ordinal);
                Assert.Contains("Step = 8", message, StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public void Step_NoRankHasAPrediction_AllThrow()
    {
        var errors = new Exception?[2];
        InProcessRanks.Run(
            2,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                errors[ranks.Rank] = Record.Exception(() =>
                    engine.Step(
                        new TrainingBatch
                        {
                            Sequences = new() { Rows = [], Offsets = [0] },
                        }
                    )
                );
            }
        );
        Assert.All(
            errors,
            error =>
                Assert.Contains("no predictions on any rank", Assert.IsType<ArgumentException>(error).Message, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Step_LossIsNotFinite_NoRankChangesAnything()
    {
        bool[] applied = [true, true, true];
        float[][] values = new float[3][];
        float[] before = [];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                if (ranks.Rank == 0)
                {
                    before = [.. engine.Parameters.Values];
                }

                float[] features = new float[6];
                features[0] = 1e38f;
                for (int row = 0; row < TestEngines.Items; row++)
                {
                    engine.SetFeatures(row, features);
                }

                applied[ranks.Rank] = engine.Step(new RankBatch(Batch(engine), ranks.Rank, [0, 40, 70, 100]).Batch).IsApplied;
                values[ranks.Rank] = [.. engine.Parameters.Values];
            }
        );
        Assert.Equal([false, false, false], applied);
        Assert.All(values, after => Assert.Equal(before, after));
    }

    [Fact]
    public void Step_SteadyState_AllocatesNothing()
    {
        long[] allocated = [long.MaxValue, long.MaxValue];
        InProcessRanks.Run(
            2,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                RandomBatch batch = Batch(engine);
                var share = new RankBatch(batch, ranks.Rank, [0, 50, 100]);
                for (int i = 0; i < 20; i++)
                {
                    batch.BankEntries = engine.BankCount;
                    engine.Step(share.Batch);
                }

                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < 10; i++)
                {
                    engine.Step(share.Batch);
                }

                allocated[ranks.Rank] = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        );
        Assert.Equal([0, 0], allocated);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(0, 50, 100)]
    [InlineData(0, 40, 40, 100)]
    [InlineData(0, 10, 30, 60, 100)]
    public void Step_BytesSent_AreThoseOfTheFormula(params int[] cuts)
    {
        int size = cuts.Length - 1;
        var batch = new RandomBatch(1, 60, 12, TestEngines.Items, negatives: 20);
        StepBytes.Share[] shares =
        [
            .. Enumerable.Range(0, size).Select(rank => StepBytes.Share.Of(new RankBatch(batch, rank, cuts).Batch)),
        ];
        long[] expected = new long[size];
        long[] sent = new long[size];
        InProcessRanks.Run(
            size,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                expected[ranks.Rank] = StepBytes.Sent(shares, ranks.Rank, Model, engine.Parameters.Length).Total;
                engine.Step(new RankBatch(batch, ranks.Rank, cuts).Batch);
                sent[ranks.Rank] = ranks.BytesSent;
            }
        );
        Assert.Equal(expected, sent);
        Assert.Equal(size > 1, sent[0] > 0);
    }

    private static Exception?[] Try(Action<RandomBatch, int> change)
    {
        var errors = new Exception?[3];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                float[] before = [.. engine.Parameters.Values];
                RandomBatch batch = Batch(engine);
                int[] cuts = [0, 0, 100, 100];
                change(batch, ranks.Rank);
                errors[ranks.Rank] = Record.Exception(() => engine.Step(new RankBatch(batch, ranks.Rank, cuts).Batch));
                Assert.Equal(before, engine.Parameters.Values);
                Assert.Equal(0, engine.BankCount);

                // The ranks are still in step.
                Assert.True(engine.Step(new RankBatch(Batch(engine), ranks.Rank, cuts).Batch).IsApplied);
            }
        );
        return errors;
    }

    private static RandomBatch Batch(ShardedCpuEngine engine) =>
        new(3, 60, 12, TestEngines.Items, negatives: 20)
        {
            Enqueue = true,
            LearningRate = 0.01f,
            BankEntries = engine.BankCount,
            DrawnFrom = TestEngines.Items,
        };

    private static ShardedCpuEngine Create(Collective ranks)
    {
        var engine = new ShardedCpuEngine(Model, 1, ranks);
        TestEngines.Fill(engine);
        return engine;
    }
}
