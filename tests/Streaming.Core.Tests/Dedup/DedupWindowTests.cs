using Streaming.Core.Dedup;
using Xunit;

namespace Streaming.Core.Tests.Dedup;

public class DedupWindowTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 2)]
    [InlineData(100, 3)]
    [InlineData(5000, 4)]
    public void TryAdd_RandomIds_AgreesWithTheReference(int capacity, int seed)
    {
        DedupWindow window = new(new DedupOptions { Capacity = capacity, Window = TimeSpan.FromSeconds(1) });
        List<(ulong Hash, long Time)> reference = [];
        Random random = new(seed);
        long now = 0;
        long newest = 0;
        for (int i = 0; i < 20_000; i++)
        {
            now += random.Next(-2, 5);
            newest = Math.Max(newest, now); // time in the window never goes back
            ulong hash = (ulong)random.Next(capacity * 2) << 33;
            Assert.Equal(AddToReference(reference, capacity, hash, newest), window.TryAdd(hash, now));
            Assert.Equal(reference.Count, window.Count);
        }
    }

    [Fact]
    public void TryAdd_CapacityZero_FindsNoDuplicates()
    {
        DedupWindow window = new(new DedupOptions { Capacity = 0 });
        Assert.True(window.TryAdd(1, 1));
        Assert.True(window.TryAdd(1, 1));
        Assert.Equal(0, window.Count);
    }

    [Fact]
    public void TryAdd_AfterTheWindow_ForgetsByTime()
    {
        DedupWindow window = new(new DedupOptions { Capacity = 10, Window = TimeSpan.FromSeconds(1) });
        Assert.True(window.TryAdd(1, 1000));
        Assert.False(window.TryAdd(1, 2000));
        Assert.True(window.TryAdd(1, 2001));
    }

    private static bool AddToReference(List<(ulong Hash, long Time)> reference, int capacity, ulong hash, long now)
    {
        reference.RemoveAll(entry => entry.Time < now - 1000);
        if (reference.Exists(entry => entry.Hash == hash))
        {
            return false;
        }

        if (reference.Count == capacity)
        {
            reference.RemoveAt(0);
        }

        reference.Add((hash, now));
        return true;
    }
}
