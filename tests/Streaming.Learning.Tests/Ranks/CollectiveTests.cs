using Streaming.Learning.Ranks;
using Streaming.Tests;
using Xunit;

namespace Streaming.Learning.Tests.Ranks;

public sealed class CollectiveTests
{
    [Fact]
    public void SoloCollective_IsAWorldOfOne()
    {
        using var solo = new SoloCollective();
        CollectiveContract.Verify(solo);
        Assert.Equal((0, 1, 0L), (solo.Rank, solo.Size, solo.BytesSent));
    }

    [Fact]
    public void BytesSent_EveryOperation_CountsWhatOthersGet()
    {
        long[] sent = new long[3];
        InProcessRanks.Run(
            3,
            ranks =>
            {
                ranks.Gather([1f, 2f], new float[6], [2, 2, 2]);
                ranks.Exchange<int>([1, 2, 3], [1, 1, 1], new int[3], [1, 1, 1]);
                ranks.Broadcast(new long[4], 1);
                sent[ranks.Rank] = ranks.BytesSent;
            }
        );
        Assert.Equal([16 + 8, 16 + 8 + 64, 16 + 8], sent);
    }

    [Fact]
    public void Time_AnOperationThatWaits_IsCounted()
    {
        TimeSpan waited = TimeSpan.Zero;
        InProcessRanks.Run(
            2,
            ranks =>
            {
                if (ranks.Rank == 1)
                {
                    Thread.Sleep(50);
                }

                ranks.Barrier();
                waited = ranks.Rank == 0 ? ranks.Time : waited;
            }
        );
        Assert.True(waited > TimeSpan.FromMilliseconds(20), $"{waited}");
    }

    [Fact]
    public void Gather_CountsThatDoNotFit_NamesThem()
    {
        using var solo = new SoloCollective();
        Assert.Contains(
            "counts say 3",
            Assert.Throws<ArgumentException>(() => solo.Gather([1f], new float[3], [3])).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "[-1]",
            Assert.Throws<ArgumentException>(() => solo.Gather([1f], new float[1], [-1])).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => solo.Gather([1f], new float[1], [1, 0]));
    }

    [Fact]
    public void Exchange_MoreThanTwoGibibytes_IsRefused()
    {
        using var solo = new SoloCollective();
        ArgumentException error = Assert.Throws<ArgumentException>(() => solo.Exchange<float>([], [1 << 23], [], [0], 128));
        Assert.Contains("below 2 GiB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Operations_AfterTheFirst_AllocateNothing()
    {
        long[] allocated = new long[2];
        InProcessRanks.Run(
            2,
            ranks =>
            {
                float[] all = new float[200];
                double[] sums = new double[3];
                for (int i = 0; i < 3; i++)
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    ranks.Gather<float>(all.AsSpan(0, 100), all, [100, 100]);
                    ranks.SumScatter(all, all.AsSpan(100 * ranks.Rank, 100), [100, 100]);
                    ranks.Sum(sums);
                    allocated[ranks.Rank] = GC.GetAllocatedBytesForCurrentThread() - before;
                }
            }
        );
        Assert.Equal([0, 0], allocated);
    }
}
