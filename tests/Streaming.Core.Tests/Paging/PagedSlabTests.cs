using Streaming.Core.Paging;
using Xunit;

namespace Streaming.Core.Tests.Paging;

public class PagedSlabTests
{
    /// <summary>Random blocks taken, written, given back and shared, beside plain arrays.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(700, 3)]
    [InlineData(5000, 4)]
    public void Operations_InAnyOrder_AgreeWithTheReference(int stride, int seed)
    {
        PagedSlab slab = new(stride);
        Dictionary<int, long[]> live = [];
        List<(PagedSlab.View View, Dictionary<int, long[]> Then)> views = [];
        Random random = new(seed);
        for (int i = 0; i < 4000; i++)
        {
            switch (random.Next(10))
            {
                case < 5:
                    int taken = slab.Allocate();
                    Assert.True(live.TryAdd(taken, Fill(slab, taken, random)), $"block {taken} was given twice");
                    break;
                case < 7 when live.Count > 0:
                    int written = live.Keys.ElementAt(random.Next(live.Count));
                    live[written] = Fill(slab, written, random);
                    break;
                case < 9 when live.Count > 0:
                    int freed = live.Keys.ElementAt(random.Next(live.Count));
                    live.Remove(freed);
                    slab.Free(freed);
                    break;
                default:
                    if (random.Next(20) == 0)
                    {
                        views.Add((slab.Share(), live.ToDictionary(pair => pair.Key, pair => pair.Value)));
                    }

                    break;
            }

            // At most two at a time; the older is checked when it is as stale as it gets.
            if (views.Count == 2)
            {
                Check(views[0].View, views[0].Then);
                views[0].View.Release();
                views.RemoveAt(0);
            }
        }

        Assert.All(live, pair => Assert.Equal(pair.Value, slab.Read(pair.Key).ToArray()));
    }

    [Fact]
    public void Allocate_AfterFree_TakesTheBlockAgain()
    {
        PagedSlab slab = new(4);
        slab.Allocate();
        int second = slab.Allocate();
        long bytes = slab.Bytes;

        slab.Free(second);

        Assert.Equal(second, slab.Allocate());
        Assert.Equal(bytes, slab.Bytes);
    }

    [Fact]
    public void Write_PageSharedOnce_IsCopiedOnce()
    {
        PagedSlab slab = new(1024);
        int block = slab.Allocate();
        PagedSlab.View view = slab.Share();
        slab.Write(block)[0] = 1;
        long before = GC.GetAllocatedBytesForCurrentThread();

        slab.Write(block)[0] = 2;

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, view.Read(block)[0]);
    }

    [Fact]
    public void Write_ViewsReleased_CopiesNothing()
    {
        PagedSlab slab = new(1024);
        int block = slab.Allocate();
        PagedSlab.View view = slab.Share(),
            other = slab.Share();
        view.Release();
        view.Release(); // a second time counts for nothing: the other view still reads
        slab.Write(block)[0] = 7;
        Assert.Equal(0, other.Read(block)[0]);

        other.Release();
        slab.Share().Release();
        long before = GC.GetAllocatedBytesForCurrentThread();
        slab.Write(block)[0] = 8;

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Constructor_StrideZero_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new PagedSlab(0));

    private static long[] Fill(PagedSlab slab, int block, Random random)
    {
        long value = random.NextInt64();
        slab.Write(block).Fill(value);
        return slab.Read(block).ToArray();
    }

    private static void Check(PagedSlab.View view, Dictionary<int, long[]> then) =>
        Assert.All(then, pair => Assert.Equal(pair.Value, view.Read(pair.Key).ToArray()));
}
