using Streaming.Kernels.Simd;
using Xunit;

namespace Streaming.Kernels.Tests.Simd;

public class PrefetchTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000)]
    public void Read_AnyNumberOfValues_LeavesThemAsTheyAre(int count)
    {
        long[] values = [.. Enumerable.Range(0, count)];

        Prefetch.Read<long>(values);

        Assert.Equal(Enumerable.Range(0, count).Select(static value => (long)value), values);
    }
}
