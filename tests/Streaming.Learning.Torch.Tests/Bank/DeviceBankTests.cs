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
        bank.Enqueue(Entries(1, 2, 3), step: 10);
        bank.Enqueue(Entries(4, 5, 6, 7), step: 11);

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
        bank.Enqueue(Entries(1), step: 1);

        bank.Enqueue(Entries(2, 3, 4, 5, 6), step: 2);

        Assert.Equal([6L, 5L, 4L], Rows(bank.Select([0, 1, 2])));
    }

    [Fact]
    public void Enqueue_NoCapacity_HoldsNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(0, 2, TestDevice.Device);

        bank.Enqueue(Entries(1, 2), step: 1);

        Assert.Equal(0, bank.Count);
        Assert.Empty(bank.Newest(0));
    }

    [Fact]
    public void Forget_Row_KeepsVectorAndLosesTheRow()
    {
        using DisposeScope scope = NewDisposeScope();
        using var bank = new DeviceBank(4, 2, TestDevice.Device);
        bank.Enqueue(Entries(1, 2, 1), step: 1);

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

        bank.Reset(Entries(9, 8, 7), [3, 2, 1]);
        bank.Enqueue(Entries(10, 11), step: 4);

        Assert.Equal([11, 10, 9, 8], bank.CopyRows(CPU).data<int>().ToArray());
        Assert.Equal([4L, 4L, 3L, 2L], bank.Steps());
        Assert.Equal([11f, 10f, 9f, 8f], bank.CopyLogQ(CPU).data<float>().ToArray());
    }

    private static CandidateBlock Entries(params long[] rows)
    {
        Tensor values = tensor(rows.Select(row => (float)row).ToArray()).There();
        return new CandidateBlock(values.unsqueeze(1).repeat(1, 2), tensor(rows).There(), values);
    }

    private static long[] Rows(CandidateBlock block) => block.Rows.Numbers<long>();
}
