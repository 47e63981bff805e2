using Streaming.Learning.Replay;
using Streaming.Learning.Tests.State;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Replay;

public class ReplayReservoirTests
{
    [Fact]
    public void OfferDraw_Example_ComesBackAsItWas()
    {
        var reservoir = new ReplayReservoir(new ReplayOptions { Capacity = 16 }, historyLength: 3, seed: 1);
        reservoir.Offer(7, 0.5f, [1, 2]);
        Assert.Equal(7UL, reservoir.Item(0));
        Assert.Equal(0.5f, reservoir.Weight(0));
        Assert.Equal([1UL, 2UL], reservoir.History(0).ToArray());
    }

    [Fact]
    public void Offer_HistoryTooLong_KeepsTheNewest()
    {
        var reservoir = new ReplayReservoir(new ReplayOptions { Capacity = 16 }, historyLength: 3, seed: 1);
        reservoir.Offer(7, 1, [1, 2, 3, 4, 5]);
        Assert.Equal([3UL, 4UL, 5UL], reservoir.History(0).ToArray());
    }

    [Theory]
    [InlineData(0.0, 1, 0)]
    [InlineData(1.0, 1, 1)]
    [InlineData(2.5, 2, 5)]
    public void Due_Ratio_GivesThatManyOldExamples(double ratio, int newExamples, int expected)
    {
        ReplayReservoir reservoir = Filled(new ReplayOptions { Capacity = 16, Ratio = Math.Max(ratio, 1e-9) }, 16);
        Assert.Equal(expected, reservoir.Due(newExamples));
    }

    [Fact]
    public void Due_Fraction_IsCarriedOver()
    {
        ReplayReservoir reservoir = Filled(new ReplayOptions { Capacity = 16, Ratio = 0.3 }, 16);
        int due = Enumerable.Range(0, 100).Sum(_ => reservoir.Due(1));
        Assert.InRange(due, 29, 30);
    }

    [Fact]
    public void Due_NothingKept_IsZero()
    {
        var empty = new ReplayReservoir(new ReplayOptions { Capacity = 16 }, historyLength: 3, seed: 1);
        Assert.Equal(0, empty.Due(8));
        ReplayReservoir off = Filled(new ReplayOptions { Capacity = 16, Ratio = 0 }, 16);
        Assert.Equal(0, off.Due(8));
        Assert.Equal(0, off.Count);
    }

    /// <summary>Without recency each of 20,000 examples is kept with equal probability: the kept ages are uniform.</summary>
    [Fact]
    public void Offer_NoRecency_KeepsUniformly()
    {
        const int Offered = 20_000;
        const int Capacity = 2_000;
        ReplayReservoir reservoir = Filled(new ReplayOptions { Capacity = Capacity, Recency = 0 }, Offered);
        int[] quarters = new int[4];
        for (int slot = 0; slot < reservoir.Count; slot++)
        {
            quarters[(int)reservoir.Item(slot) * 4 / Offered]++;
        }

        // 500 in each quarter; the deviation is √(2000 · ¼ · ¾) ≈ 19; five deviations.
        Assert.All(quarters, count => Assert.InRange(count, 405, 595));
    }

    /// <summary>With recency r the ages of kept examples are exponential with mean capacity / r.</summary>
    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    public void Offer_Recency_KeepsExponentially(double recency)
    {
        const int Offered = 50_000;
        const int Capacity = 1_000;
        ReplayReservoir reservoir = Filled(new ReplayOptions { Capacity = Capacity, Recency = recency }, Offered);
        double meanAge = Enumerable.Range(0, reservoir.Count).Average(slot => (double)(Offered - 1) - reservoir.Item(slot));

        // The mean of 1000 exponential ages deviates by 1/√1000, 3 %; five deviations.
        Assert.InRange(meanAge * recency / Capacity, 0.85, 1.15);
    }

    [Fact]
    public void Draw_ManyTimes_ReachesEverySlotAlike()
    {
        ReplayReservoir reservoir = Filled(new ReplayOptions { Capacity = 16 }, 16);
        int[] draws = new int[16];
        for (int i = 0; i < 16_000; i++)
        {
            draws[reservoir.Draw()]++;
        }

        Assert.All(draws, count => Assert.InRange(count, 845, 1155));
    }

    [Fact]
    public void SaveLoad_ThenGoOn_EqualsNeverStopped()
    {
        var options = new ReplayOptions { Capacity = 64, Ratio = 1.7 };
        ReplayReservoir original = Filled(options, 500);
        original.Due(3);
        original.Draw();
        var saved = new TensorSet();
        original.Save(saved);
        var restored = new ReplayReservoir(options, historyLength: 3, seed: 1);
        restored.Load(new TensorReader(saved));
        for (ulong i = 0; i < 300; i++)
        {
            original.Offer(i, 1, [i]);
            restored.Offer(i, 1, [i]);
            Assert.Equal(original.Due(1), restored.Due(1));
            int slot = original.Draw();
            Assert.Equal(slot, restored.Draw());
            Assert.Equal(original.Item(slot), restored.Item(slot));
            Assert.Equal(original.History(slot).ToArray(), restored.History(slot).ToArray());
        }
    }

    [Fact]
    public void Load_LengthBeyondTheHistory_IsRefused()
    {
        var options = new ReplayOptions { Capacity = 16 };
        var saved = new TensorSet();
        Filled(options, 16).Save(saved);
        int lengths = saved.Tensors.ToList().FindIndex(tensor => tensor.Name == "replay.lengths");
        using var damaged = new PatchedSource(saved, lengths, [4, 0, 0, 0]);
        Assert.Throws<StateMismatchException>(() => Filled(options, 0).Load(new TensorReader(damaged)));
    }

    private static ReplayReservoir Filled(ReplayOptions options, int examples)
    {
        var reservoir = new ReplayReservoir(options, historyLength: 3, seed: 1);
        for (int i = 0; i < examples; i++)
        {
            reservoir.Offer((ulong)i, 1, [(ulong)i, (ulong)i + 1]);
        }

        return reservoir;
    }
}
