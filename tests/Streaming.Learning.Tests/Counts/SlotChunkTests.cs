using System.Numerics.Tensors;
using Streaming.Learning.Counts;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Counts;

public class SlotChunkTests
{
    /// <summary>A long list at every stage of its life: growing, full and replaced slot by slot, scaled, restored, and begun
    /// again.</summary>
    [Theory]
    [InlineData(0, 8)]
    [InlineData(8, 8)]
    [InlineData(64, 32)]
    [InlineData(1024, 128)]
    [InlineData(SlotChunk.Slots - 512, 512)]
    public void FindAndLightest_AnyHistoryOfTheSlots_GiveWhatReadingAllOfThemGives(int slot, int count)
    {
        var chunk = new SlotChunk();
        var random = new Random(count);
        for (int life = 0; life < 3; life++)
        {
            chunk.Begin(slot, count);
            for (int i = 0; i < count; i++)
            {
                chunk.Set(slot + i, Key(random), random.Next(1, 5), 0);
                AssertFinds(chunk, slot, i + 1, random);
            }

            for (int i = 0; i < 3_000; i++)
            {
                int lightest = TensorPrimitives.IndexOfMin(chunk.Weights.Slice(slot, count));
                Assert.Equal(lightest, chunk.Lightest(slot, count));
                float least = chunk.Weights[slot + lightest];
                chunk.Set(slot + lightest, Key(random), least + random.Next(1, 3), least);
                chunk.Add(slot + random.Next(count), random.Next(3));
                AssertFinds(chunk, slot, count, random);
                if (i % 1_000 == 999)
                {
                    chunk.Scale(1 / 3f);
                }
            }

            chunk = Restored(chunk);
        }
    }

    [Fact]
    public void Begin_SlotsWithLightWeightsAfterHeavyOnes_ForgetsTheHeavyOnes()
    {
        var chunk = new SlotChunk();
        foreach (float weight in (float[])[1_000, 1])
        {
            chunk.Begin(0, 32);
            for (int i = 0; i < 32; i++)
            {
                chunk.Set(i, (ulong)i, weight + (i == 17 ? 0 : 1), 0);
            }

            Assert.Equal(17, chunk.Lightest(0, 32));
        }
    }

    /// <summary>Many keys share the bits by which they are looked for.</summary>
    private static ulong Key(Random random) => ((ulong)random.Next(40) << 32) | (uint)random.Next(40);

    private static void AssertFinds(SlotChunk chunk, int slot, int count, Random random)
    {
        ulong key = random.Next(2) == 0 ? Key(random) : chunk.Keys[slot + random.Next(count)];
        Assert.Equal(chunk.Keys.Slice(slot, count).IndexOf(key), chunk.Find(slot, count, key));
    }

    private static SlotChunk Restored(SlotChunk chunk)
    {
        using var state = new TensorSet();
        chunk.Save(state, "counts", 0);
        var restored = new SlotChunk();
        restored.Load(new TensorReader(state), "counts", 0);
        Assert.Equal(chunk.Errors, restored.Errors);
        return restored;
    }
}
