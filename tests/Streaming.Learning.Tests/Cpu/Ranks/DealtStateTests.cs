using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu.Ranks;

/// <summary>A state of N ranks continues on M.</summary>
public sealed class DealtStateTests
{
    private const int Before = 6;
    private const int After = 6;
    private static readonly ModelOptions Model = TestEngines.Options(TowerKind.FmrlRec) with { DistinctBank = true };

    [Theory]
    [InlineData(1, 3, IdOptimizer.LazyAdam)]
    [InlineData(3, 1, IdOptimizer.LazyAdam)]
    [InlineData(3, 2, IdOptimizer.LazyAdam)]
    [InlineData(2, 4, IdOptimizer.RowAdagrad)]
    [InlineData(4, 4, IdOptimizer.LazyAdam)]
    public void Restore_OnAnotherNumberOfRanks_LearnsAsOneEngine(int before, int after, IdOptimizer optimizer)
    {
        ModelOptions model = Model with { IdOptimizer = optimizer };
        using CpuEngine one = TestEngines.Create(model);
        Train(one, 0, 1, 1, Before);
        double[] expected = Train(one, 0, 1, Before + 1, After);

        double[] losses = [];
        OnRanks(
            model,
            before,
            states =>
                InProcessRanks.Run(
                    after,
                    ranks =>
                    {
                        using CpuEngine engine = after == 1 ? new CpuEngine(model, 1) : new ShardedCpuEngine(model, 1, ranks);
                        using var dealt = new DealtState(states, ranks.Rank, after);
                        engine.Restore(dealt);
                        double[] found = Train(engine, ranks.Rank, after, Before + 1, After);
                        losses = ranks.Rank == 0 ? found : losses;
                    }
                )
        );
        Assert.Equal(After, losses.Length);
        Assert.All(losses.Zip(expected), pair => Assert.Equal(1, pair.First / pair.Second, 1e-6));
    }

    [Fact]
    public void Read_DealtThereAndBack_IsTheSameBytes()
    {
        using CpuEngine one = TestEngines.Create(Model);
        Train(one, 0, 1, 1, Before);
        using TensorSnapshot whole = one.BeginSnapshot();
        DealtState[] three = [.. Enumerable.Range(0, 3).Select(rank => new DealtState([whole], rank, 3))];
        DealtState[] two = [.. Enumerable.Range(0, 2).Select(rank => new DealtState(three, rank, 2))];
        using var back = new DealtState(two, 0, 1);
        Assert.Equal(
            whole.Tensors.Select(tensor => (tensor.Name, tensor.ByteCount())),
            back.Tensors.Select(tensor => (tensor.Name, tensor.ByteCount()))
        );
        for (int i = 0; i < whole.Tensors.Count; i++)
        {
            Assert.Equal(Bytes(whole, i), Bytes(back, i));
        }

        Assert.Equal([14, 13, 13], three.Select(state => (int)state.Tensors.Single(tensor => tensor.Name == "items.embedding").Shape[0]));
    }

    [Fact]
    public void Constructor_StatesMissingOrInAnotherOrder_AreRefused() =>
        OnRanks(
            Model,
            3,
            states =>
            {
                Assert.Contains("rank 0 of 3", Refused([states[0], states[1]]), StringComparison.Ordinal);
                Assert.Contains(
                    "State 1 of 3 is that of rank 2 of 3",
                    Refused([states[0], states[2], states[1]]),
                    StringComparison.Ordinal
                );
                using CpuEngine one = TestEngines.Create(Model);
                using TensorSnapshot whole = one.BeginSnapshot();
                Assert.Contains("State 0 of 2 is that of rank 0 of 1", Refused([whole, whole]), StringComparison.Ordinal);
            }
        );

    private static string Refused(TensorSource[] states) =>
        Assert.Throws<StateMismatchException>(() => new DealtState(states, 0, 2)).Message;

    private static byte[] Bytes(TensorSource source, int tensor)
    {
        // In pieces that do not end with rows.
        byte[] bytes = new byte[source.Tensors[tensor].ByteCount()];
        for (int at = 0; at < bytes.Length; at += 1000)
        {
            source.Read(tensor, at, bytes.AsSpan(at, Math.Min(1000, bytes.Length - at)));
        }

        return bytes;
    }

    private static void OnRanks(ModelOptions model, int size, Action<TensorSource[]> use)
    {
        var states = new TensorSource[size];
        InProcessRanks.Run(
            size,
            ranks =>
            {
                using CpuEngine engine = size == 1 ? new CpuEngine(model, 1) : new ShardedCpuEngine(model, 1, ranks);
                TestEngines.Fill(engine);
                Train(engine, ranks.Rank, size, 1, Before);
                using TensorSnapshot snapshot = engine.BeginSnapshot();
                states[ranks.Rank] = snapshot;
                ranks.Barrier();
                if (ranks.Rank == 0)
                {
                    use(states);
                }

                ranks.Barrier();
            }
        );
    }

    private static double[] Train(CpuEngine engine, int rank, int size, int first, int steps)
    {
        int[] cuts = [.. Enumerable.Range(0, size + 1).Select(at => 100 * at / size)];
        double[] losses = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            var batch = new RandomBatch(first + i, 24, engine.Model.HistoryLength, TestEngines.Items)
            {
                Step = first + i,
                LearningRate = 0.01f,
                Enqueue = true,
                BankEntries = engine.BankCount,
            };
            losses[i] = engine.Step(new RankBatch(batch, rank, cuts).Batch).Loss;
        }

        return losses;
    }
}
