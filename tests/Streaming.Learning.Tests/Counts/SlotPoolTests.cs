using Streaming.Learning.Counts;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Counts;

public class SlotPoolTests
{
    private const long Chunk = 1 << 20;

    /// <summary>
    /// Blocks of all sizes taken and given back at random: no two that are in use share a slot, and each keeps what was written.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Allocate_RandomSizes_GivesDisjointBlocks(int seed)
    {
        var pool = new SlotPool(3 * Chunk);
        var owners = new Dictionary<int, ulong>();
        List<(int Block, int Size, ulong Key)> blocks = [];
        var random = new Random(seed);
        for (ulong key = 1; key < 4000; key++)
        {
            if (random.Next(3) == 0 && blocks.Count > 0)
            {
                (int block, int size, _) = blocks[random.Next(blocks.Count)];
                blocks.RemoveAll(other => other.Block == block);
                Enumerable.Range(block, SlotPool.SlotsOf(size)).ToList().ForEach(slot => owners.Remove(slot));
                pool.Free(block, size);
                continue;
            }

            int wanted = random.Next(SlotPool.Sizes),
                taken = pool.Allocate(wanted);
            if (taken < 0)
            {
                continue;
            }

            Assert.True(pool.IsBlock(taken, wanted), $"{taken} is no place for a block of size {wanted}");
            foreach (int slot in Enumerable.Range(taken, SlotPool.SlotsOf(wanted)))
            {
                Assert.True(owners.TryAdd(slot, key), $"slot {slot} was given twice");
                pool.Set(slot, key, key, 0);
            }

            blocks.Add((taken, wanted, key));
        }

        Assert.All(
            blocks,
            block => Assert.All(pool.Keys(block.Block, SlotPool.SlotsOf(block.Size)).ToArray(), key => Assert.Equal(block.Key, key))
        );
        Assert.InRange(pool.Bytes, SlotChunk.Bytes, 3 * SlotChunk.Bytes);
    }

    /// <summary>Long lists stop first, so that there is room for the first list of an item.</summary>
    [Fact]
    public void Allocate_UntilFull_LongBlocksStopAtTheirShare()
    {
        var pool = new SlotPool(2 * Chunk);
        long[] slots = new long[SlotPool.Sizes];
        for (int size = SlotPool.Sizes - 1; size >= 0; size--)
        {
            while (pool.Allocate(size) >= 0)
            {
                slots[size] += SlotPool.SlotsOf(size);
            }
        }

        long all = 2 * Chunk / SlotChunk.SlotBytes;
        Assert.Equal(
            [0.1 * all, 0.15 * all, 0.25 * all, 0.5 * all],
            slots.Select(count => (double)count),
            (expected, actual) => Math.Abs(expected - actual) <= 1024
        );
        Assert.Equal(all, slots.Sum());
    }

    [Fact]
    public void Scale_EveryWeightAndError_IsMultiplied()
    {
        var pool = new SlotPool(Chunk);
        int block = pool.Allocate(0);
        pool.Set(block, 5, 8, 2);
        pool.Add(block, 4);

        pool.Scale(0.5f);

        Assert.Equal((5UL, 6f, 1f), (pool.Keys(block, 1)[0], pool.Weights(block, 1)[0], pool.Errors(block, 1)[0]));
    }

    [Fact]
    public void Load_WhatWasSaved_ContinuesIdentically()
    {
        var pool = new SlotPool(2 * Chunk);
        int[] blocks = [.. Enumerable.Range(0, 500).Select(i => pool.Allocate(i % SlotPool.Sizes))];
        pool.Set(blocks[1], 7, 3, 1);
        pool.Free(blocks[0], 0);
        using var state = new TensorSet();
        pool.Save(state, "counts");
        var read = new SlotPool(2 * Chunk);

        read.Load(new TensorReader(state), "counts");

        Assert.Equal((7UL, 3f, 1f), (read.Keys(blocks[1], 1)[0], read.Weights(blocks[1], 1)[0], read.Errors(blocks[1], 1)[0]));
        Assert.All(Enumerable.Range(0, 200), i => Assert.Equal(pool.Allocate(i % SlotPool.Sizes), read.Allocate(i % SlotPool.Sizes)));
    }

    [Theory]
    [InlineData(new int[] { 1, 2, 0, 0, 0 }, "not the state of a count pool")]
    [InlineData(new int[] { -1, 0, 0, 0, 0, 0 }, "not the state of a count pool")]
    [InlineData(new int[] { 0, 1, 0, 0, 0, 0 }, "not the state of a count pool")]
    [InlineData(new int[] { 0, 0, 0, 5, 0, 0 }, "not the state of a count pool")]
    [InlineData(new int[] { int.MaxValue, 0, 0, 0, 0, 0 }, "not the state of a count pool")]
    [InlineData(new int[] { 0, 0, 0, 0, 0, 0 }, "names a block outside the pool")]
    public void Load_StateThatCannotBe_IsRefused(int[] pool, string words)
    {
        using var state = new TensorSet();
        state.Add<int>("counts.pool", pool);
        for (int size = 0; size < SlotPool.Sizes; size++)
        {
            state.Add<int>($"counts.free{size}", size == 2 ? [128] : []);
        }

        Assert.Contains(
            words,
            Assert.Throws<StateMismatchException>(() => new SlotPool(Chunk).Load(new TensorReader(state), "counts")).Message,
            StringComparison.Ordinal
        );
    }
}
