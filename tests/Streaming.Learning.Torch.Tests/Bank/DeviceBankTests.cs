using Streaming.Learning.Torch.Bank;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.Tests.Devices;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Bank;

public class DeviceBankTests
{
    [Fact]
    public void Enqueue_PastTheEnd_KeepsTheNewestInOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(5, 2, TestDevice.Device);
        Enqueue(bank, 10, 1, 2, 3);
        Enqueue(bank, 11, 4, 5, 6, 7);

        Assert.Equal(5, bank.Count);
        Assert.Equal([7L, 6L, 5L, 4L, 3L], Rows(bank.Select([0, 1, 2, 3, 4])));
        Assert.Equal([11L, 11L, 11L, 11L, 10L], bank.Steps());
        Assert.Equal([5L, 6L, 7L], bank.Newest(3).SelectMany(Rows));
    }

    [Fact]
    public void Enqueue_MoreThanCapacity_KeepsTheLast()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(3, 2, TestDevice.Device);
        Enqueue(bank, 1, 1);

        Enqueue(bank, 2, 2, 3, 4, 5, 6);

        Assert.Equal([6L, 5L, 4L], Rows(bank.Select([0, 1, 2])));
    }

    [Fact]
    public void Enqueue_NoCapacity_HoldsNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(0, 2, TestDevice.Device);

        Enqueue(bank, 1, 1, 2);

        Assert.Equal(0, bank.Count);
        Assert.Empty(bank.Newest(0));
    }

    [Fact]
    public void Forget_Row_KeepsVectorAndLosesTheRow()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(4, 2, TestDevice.Device);
        Enqueue(bank, 1, 1, 2, 1);

        bank.Forget(1);

        CandidateBlock left = bank.Select([0, 1, 2]);
        Assert.Equal([-1L, 2L, -1L], Rows(left));
        Assert.Equal([1f, 1f, 2f, 2f, 1f, 1f], left.Vectors.Numbers<float>());
    }

    [Fact]
    public void Reset_ThenEnqueue_ContinuesAfterTheNewest()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(4, 2, TestDevice.Device);

        bank.Reset(Entries(9, 8, 7), [9, 8, 7], [3, 2, 1], []);
        Enqueue(bank, 4, 10, 11);

        Assert.Equal([11, 10, 9, 8], bank.CopyRows(CPU).data<int>().ToArray());
        Assert.Equal([4L, 4L, 3L, 2L], bank.Steps());
        Assert.Equal([11f, 10f, 9f, 8f], bank.CopyLogQ(CPU).data<float>().ToArray());
    }

    /// <summary>Against a plain list: an item stays at its newest place, the item drawn longest ago leaves first.</summary>
    [Fact]
    public void Enqueue_DistinctItems_HoldsEachOnceByItsNewestEntry()
    {
        const int Capacity = 6;
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(Capacity, 2, TestDevice.Device, distinct: true);
        var drawn = new List<(int Row, int Step)>(); // newest first
        var random = new Random(3);
        for (int step = 1; step < 40; step++)
        {
            int[] rows = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(12))];
            Enqueue(bank, step, rows);
            foreach (int row in rows)
            {
                drawn.Insert(0, (row, step));
            }

            (int Row, int Step)[] expected = [.. drawn.DistinctBy(draw => draw.Row).Take(Capacity)];
            Assert.Equal(expected.Select(draw => draw.Row), bank.CopyRows(CPU).data<int>().ToArray());
            Assert.Equal(expected.Select(draw => (float)draw.Row), bank.CopyLogQ(CPU).data<float>().ToArray());
            Assert.Equal(expected.Select(draw => (long)draw.Step), bank.Steps());
            Assert.Equal(expected.Select(draw => 1L + drawn.FindIndex(other => other.Row == draw.Row)), bank.Ages());
            Assert.Equal(bank.Ages()[^1], bank.Window(bank.Count));
        }
    }

    private static void Enqueue(DeviceBank bank, long step, params int[] rows) =>
        bank.Enqueue(Entries([.. rows.Select(row => (long)row)]), rows, step);

    private static CandidateBlock Entries(params long[] rows)
    {
        Tensor values = tensor(rows.Select(row => (float)row).ToArray()).There();
        return new CandidateBlock(values.unsqueeze(1).repeat(1, 2), tensor(rows).There(), values);
    }

    private static long[] Rows(CandidateBlock block) => block.Rows.Numbers<long>();
}
