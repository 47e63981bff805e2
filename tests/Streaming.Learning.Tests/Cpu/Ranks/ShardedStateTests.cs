using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Ranks;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu.Ranks;

public sealed class ShardedStateTests
{
    private static readonly int[] Cuts = [0, 30, 60, 100];
    private static readonly ModelOptions Model = TestEngines.Options(TowerKind.FmrlRec) with { DistinctBank = true };

    [Fact]
    public void Restore_StateOfTheSameRank_ContinuesWithTheSameBits()
    {
        double[][] expected = new double[3][];
        double[][] restored = new double[3][];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                using ShardedCpuEngine other = Create(ranks);
                Train(engine, ranks, 1, 6);
                using (TensorSnapshot snapshot = engine.BeginSnapshot())
                {
                    expected[ranks.Rank] = Train(engine, ranks, 7, 12);
                    other.Restore(snapshot);
                }

                restored[ranks.Rank] = Train(other, ranks, 7, 12);
            }
        );
        Assert.Equal(expected, restored);
        Assert.All(expected, losses => Assert.Equal(expected[0], losses));
    }

    [Fact]
    public void BeginSnapshot_Ranks_HaveEqualDenseStateAndTheirOwnItems()
    {
        byte[][] dense = new byte[3][];
        int[] rows = new int[3];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                Train(engine, ranks, 1, 3);
                using TensorSnapshot snapshot = engine.BeginSnapshot();
                List<byte> all = [];
                for (int i = 0; i < snapshot.Tensors.Count; i++)
                {
                    TensorInfo info = snapshot.Tensors[i];
                    if (info.Name == "items.embedding")
                    {
                        rows[ranks.Rank] = (int)info.Shape[0];
                    }
                    else if (
                        info.Name.StartsWith("tower.", StringComparison.Ordinal) || info.Name.StartsWith("bank.", StringComparison.Ordinal)
                    )
                    {
                        byte[] bytes = new byte[info.ByteCount()];
                        snapshot.Read(i, 0, bytes);
                        all.AddRange(bytes);
                    }
                }

                dense[ranks.Rank] = [.. all];
            }
        );
        Assert.NotEmpty(dense[0]);
        Assert.Equal(dense[0], dense[1]);
        Assert.Equal(dense[0], dense[2]);
        Assert.Equal([14, 13, 13], rows); // of 40 items
    }

    [Fact]
    public void Restore_StateOfAnotherRank_IsRefused()
    {
        var states = new TensorSnapshot?[2];
        var errors = new Exception?[2];
        InProcessRanks.Run(
            2,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                using TensorSnapshot own = engine.BeginSnapshot();
                states[ranks.Rank] = own;
                ranks.Barrier();
                using ShardedCpuEngine other = Create(ranks);
                errors[ranks.Rank] = Record.Exception(() => other.Restore(states[1 - ranks.Rank]!));
                ranks.Barrier();
            }
        );
        Assert.Contains(
            "rank 1 of 2; this is rank 0 of 2",
            Assert.IsType<StateMismatchException>(errors[0]).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Restore_StateOfOneEngine_TakesTheOwnRows()
    {
        using CpuEngine one = TestEngines.Create(Model);
        Train(one, null, 1, 4);
        byte[] whole = Bytes(one.BeginSnapshot());
        byte[][] parts = new byte[3][];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using var engine = new ShardedCpuEngine(Model, 1, ranks);
                using var source = SafetensorsReader.FromMemory(whole);
                engine.Restore(source);
                parts[ranks.Rank] = Bytes(engine.BeginSnapshot());
            }
        );
        using var joined = new DealtState([.. parts.Select(part => SafetensorsReader.FromMemory(part))], 0, 1, owns: true);
        Assert.Equal(whole, Bytes(joined));
    }

    [Fact]
    public void Constructor_Rank_AllocatesItsShareOfTheItems()
    {
        ModelOptions model = TestEngines.Options(TowerKind.FmrlRec) with { ItemCapacity = 200_000 };
        long whole = Allocated(() => new CpuEngine(model, 1));
        long[] shares = new long[4];
        InProcessRanks.Run(4, ranks => shares[ranks.Rank] = Allocated(() => new ShardedCpuEngine(model, 1, ranks)));

        // 200,000 items: 84 MB of ids and moments, 5 MB of features.
        Assert.InRange(whole, 80_000_000, 120_000_000);
        Assert.All(shares, share => Assert.InRange(share, whole / 5, (long)(1.1 * whole / 4)));
    }

    [Fact]
    public void InitializeRow_RowsUsedAgain_LearnAsInOneEngine()
    {
        using CpuEngine one = TestEngines.Create(Model);
        double[] expected = Train(one, null, 1, 4);
        Recycle(one);
        expected = [.. expected, .. Train(one, null, 5, 9)];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                using ShardedCpuEngine engine = Create(ranks);
                double[] losses = Train(engine, ranks, 1, 4);
                Recycle(engine);
                losses = [.. losses, .. Train(engine, ranks, 5, 9)];
                Assert.All(losses.Zip(expected), pair => Assert.Equal(1, pair.First / pair.Second, 1e-6));
            }
        );
        Assert.Equal(9, expected.Length);
    }

    private static void Recycle(CpuEngine engine)
    {
        foreach (int row in (int[])[4, 5, 6])
        {
            engine.ForgetRow(row);
            engine.InitializeRow(row, 1000UL + (ulong)row);
            engine.SetFeatures(row, [1, 2, 3, 4, 5, 6]);
        }
    }

    private static long Allocated(Func<CpuEngine> create)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        using CpuEngine engine = create();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static ShardedCpuEngine Create(Collective ranks)
    {
        var engine = new ShardedCpuEngine(Model, 1, ranks);
        TestEngines.Fill(engine);
        return engine;
    }

    private static double[] Train(CpuEngine engine, Collective? ranks, int first, int last)
    {
        double[] losses = new double[last - first + 1];
        for (int step = first; step <= last; step++)
        {
            var batch = new RandomBatch(step, 24, engine.Model.HistoryLength, TestEngines.Items)
            {
                Step = step,
                LearningRate = 0.01f,
                Enqueue = true,
                BankEntries = engine.BankCount,
            };
            losses[step - first] = engine.Step(ranks is null ? batch.Batch : new RankBatch(batch, ranks.Rank, Cuts).Batch).Loss;
        }

        return losses;
    }

    private static byte[] Bytes(TensorSource state)
    {
        using (state)
        {
            using var stream = new MemoryStream();
            Safetensors.Write(state, stream, null, TestContext.Current.CancellationToken);
            return stream.ToArray();
        }
    }
}
