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

    public static TheoryData<int, int> Sizes
    {
        get
        {
            var sizes = new TheoryData<int, int>();
            for (int from = 1; from <= 6; from++)
            {
                for (int to = 1; to <= 6; to++)
                {
                    sizes.Add(from, to);
                }
            }

            return sizes;
        }
    }

    /// <summary>Pieces that begin and end anywhere, against the rows one by one.</summary>
    [Theory]
    [MemberData(nameof(Sizes))]
    public void Read_AnyPiece_HasTheRowsOfTheWhole(int from, int to)
    {
        const int Rows = 101,
            Columns = 3;
        float[] whole = [.. Enumerable.Range(1, Rows * Columns)];
        var parts = new TensorSource[from];
        for (int rank = 0; rank < from; rank++)
        {
            float[] rows =
            [
                .. Enumerable
                    .Range(0, Rows)
                    .Where(row => row % from == rank)
                    .SelectMany(row => whole[(row * Columns)..((row + 1) * Columns)]),
            ];
            parts[rank] = new Rowed(rows, Columns, rank, from);
        }

        var random = new Random(7);
        for (int rank = 0; rank < to; rank++)
        {
            using var dealt = new DealtState(parts, rank, to);
            byte[] expected = System
                .Runtime.InteropServices.MemoryMarshal.AsBytes<float>([
                    .. Enumerable
                        .Range(0, Rows)
                        .Where(row => row % to == rank)
                        .SelectMany(row => whole[(row * Columns)..((row + 1) * Columns)]),
                ])
                .ToArray();
            Assert.Equal(expected.Length, dealt.Tensors[0].ByteCount());
            for (int i = 0; i < 100; i++)
            {
                int start = random.Next(expected.Length + 1),
                    length = random.Next(expected.Length - start + 1);
                byte[] found = new byte[length];
                dealt.Read(0, start, found);
                Assert.Equal(expected[start..(start + length)], found);
            }
        }
    }

    [Fact]
    public void Read_ManyRowsOfFewRanks_TakesFewReads()
    {
        const int Rows = 100_000;
        Rowed[] parts = [.. Enumerable.Range(0, 2).Select(rank => new Rowed(new float[Rows / 2 * 16], 16, rank, 2))];
        using var dealt = new DealtState(parts, 1, 3);
        byte[] all = new byte[dealt.Tensors[0].ByteCount()];
        for (int at = 0; at < all.Length; at += 1 << 20)
        {
            dealt.Read(0, at, all.AsSpan(at, Math.Min(1 << 20, all.Length - at)));
        }

        // 2.1 MB in three pieces, of each state three times as much; the states' places are read on creation.
        Assert.InRange(parts.Sum(part => part.Reads), 2, 24);
        Assert.InRange(parts.Sum(part => part.BytesRead), all.Length, 3.1 * all.Length);
    }

    [Fact]
    public void Dispose_OwnedStates_AreDisposed()
    {
        var part = new Rowed(new float[16], 16, 0, 1);
        new DealtState([part], 0, 2).Dispose();
        Assert.False(part.IsDisposed);
        new DealtState([part], 0, 2, owns: true).Dispose();
        Assert.True(part.IsDisposed);
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

    /// <summary>Item rows of a rank; counts how they are read.</summary>
    private sealed class Rowed(float[] values, int columns, int rank, int size) : TensorSource
    {
        public int Reads { get; private set; }

        public long BytesRead { get; private set; }

        public bool IsDisposed { get; private set; }

        public override IReadOnlyList<TensorInfo> Tensors { get; } =
        [new("items.embedding", TensorType.F32, [values.Length / columns, columns]), new("ranks.share", TensorType.I32, [2])];

        public override void Read(int tensor, long byteOffset, Span<byte> destination)
        {
            Reads++;
            BytesRead += destination.Length;
            ReadOnlySpan<byte> bytes =
                tensor == 0
                    ? System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values)
                    : System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>([rank, size]);
            bytes.Slice((int)byteOffset, destination.Length).CopyTo(destination);
        }

        protected override void Dispose(bool disposing) => IsDisposed = true;
    }
}
