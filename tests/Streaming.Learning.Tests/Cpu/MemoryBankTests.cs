using Streaming.Learning.Cpu;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

public sealed class MemoryBankTests
{
    private const int Columns = 3;

    /// <summary>Steps of any size, beside a plain queue: rows, vectors, ln q and steps stay together, the oldest leave first.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 2)]
    [InlineData(100, 3)]
    [InlineData(1000, 4)]
    public void Enqueue_StepsOfAnySize_IsFirstInFirstOut(int capacity, int seed)
    {
        var bank = new MemoryBank(capacity, Columns);
        List<Entry> expected = []; // newest first
        var random = new Random(seed);
        for (int step = 0; step < 300; step++)
        {
            int negatives = random.Next(5);
            Entry[] positives =
            [
                .. Enumerable.Range(0, random.Next(1, 30)).Select(_ => new Entry(random.Next(1000), random.NextSingle(), step)),
            ];
            Write(bank, negatives, positives);
            if (random.Next(10) == 0)
            {
                continue; // scored without being kept: what was written is gone with the next batch
            }

            bank.Enqueue([.. positives.Select(entry => entry.Row)], step);
            foreach (Entry entry in positives)
            {
                expected.Insert(0, entry);
            }

            expected.RemoveRange(Math.Min(capacity, expected.Count), Math.Max(0, expected.Count - capacity));
            Assert.Equal(expected, Read(bank));
        }
    }

    /// <summary>An item stays once, by its newest entry; the item drawn longest ago leaves first; ages count draws.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 2)]
    [InlineData(40, 3)]
    [InlineData(1000, 4)]
    public void Enqueue_DistinctItems_HoldsEachOnceByItsNewestEntry(int capacity, int seed)
    {
        var bank = new MemoryBank(capacity, Columns, distinct: true);
        List<Entry> drawn = []; // newest first
        var random = new Random(seed);
        for (int step = 0; step < 300; step++)
        {
            Entry[] positives =
            [
                .. Enumerable.Range(0, random.Next(1, 30)).Select(_ => new Entry(random.Next(60), random.NextSingle(), step)),
            ];
            Write(bank, random.Next(5), positives);
            bank.Enqueue([.. positives.Select(entry => entry.Row)], step);
            foreach (Entry entry in positives)
            {
                drawn.Insert(0, entry);
            }

            Entry[] expected = [.. drawn.DistinctBy(entry => entry.Row).Take(capacity)];
            Assert.Equal(expected, Read(bank));
            Assert.Equal(expected.Select(entry => 1L + drawn.FindIndex(other => other.Row == entry.Row)), bank.Ages.ToArray());
            Assert.Equal(bank.Ages[^1], bank.Window(bank.Count));
        }

        Assert.Equal(0, bank.Window(0));
    }

    /// <summary>
    /// Batch and bank are one matrix: the negatives, the positives with the last first, then the entries from the newest.
    /// </summary>
    [Fact]
    public void Candidates_BatchBeforeTheBank_AreContiguous()
    {
        var bank = new MemoryBank(4, Columns);
        Write(bank, 0, [new(1, 0.1f, 0), new(2, 0.2f, 0)]);
        bank.Enqueue([1, 2], 0);

        Write(bank, 1, [new(7, 0.7f, 1), new(8, 0.8f, 1)]);

        Assert.Equal([99, 8, 7, 2, 1], bank.CandidateRows(3, 2).ToArray());
        Assert.Equal([0.9f, 0.8f, 0.7f, 0.2f, 0.1f], bank.CandidateLogQ(3, 2).ToArray());
        Assert.Equal([9900f, 800f, 700f, 200f, 100f], bank.Candidates(3, 2).ToArray().Chunk(Columns).Select(vector => vector[0]));
    }

    [Fact]
    public void Forget_AnItem_LeavesItsEntriesWithoutId()
    {
        var bank = new MemoryBank(4, Columns);
        Write(bank, 0, [new(1, 0, 0), new(2, 0, 0), new(1, 0, 0)]);
        bank.Enqueue([1, 2, 1], 0);

        bank.Forget(1);

        Assert.Equal([-1, 2, -1], bank.Rows.ToArray());
        Assert.Equal(3, bank.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void Reset_MoreThanFit_SaysWhatToDo(int count) =>
        Assert.Contains(
            $"has {count} entries; the model's BankCapacity is 4",
            Assert.Throws<StateMismatchException>(() => new MemoryBank(4, Columns).Reset(count)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reserve_WhenWarm_AllocatesNothing(bool distinct)
    {
        var bank = new MemoryBank(64, Columns, distinct);
        int[] rows = [.. Enumerable.Range(0, 16)];
        Run(50);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Run(200);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                bank.Reserve(20);
                bank.TouchBatch(20);
                bank.Enqueue(rows, i);
            }
        }
    }

    private static void Write(MemoryBank bank, int negatives, Entry[] positives)
    {
        int batch = negatives + positives.Length;
        bank.Reserve(batch);
        bank.TouchBatch(batch);
        Entry[] columns = [.. Enumerable.Repeat(new Entry(99, 0.9f, 0), negatives), .. positives.Reverse()];
        for (int i = 0; i < batch; i++)
        {
            bank.CandidateRows(batch, 0)[i] = columns[i].Row;
            bank.CandidateLogQ(batch, 0)[i] = columns[i].LogQ;
            bank.Candidates(batch, 0).Slice(i * Columns, Columns).Fill(columns[i].Row * 100);
        }
    }

    private static Entry[] Read(MemoryBank bank)
    {
        var entries = new Entry[bank.Count];
        for (int i = 0; i < bank.Count; i++)
        {
            Assert.All(bank.Vectors.Row(bank.First + i).ToArray(), value => Assert.Equal(bank.Rows[i] * 100, value));
            entries[i] = new(bank.Rows[i], bank.LogQ[i], bank.Steps[i]);
        }

        return entries;
    }

    private readonly record struct Entry(int Row, float LogQ, long Step);
}
