using Streaming.Learning.Items;
using Xunit;

namespace Streaming.Learning.Tests.Items;

public class AdmissionFilterTests
{
    [Fact]
    public void Count_Threshold_AdmitsAtThatEvent()
    {
        var filter = new AdmissionFilter(threshold: 3, capacity: 64);
        Assert.False(filter.Count(5));
        Assert.False(filter.Count(5));
        Assert.True(filter.Count(5));
        Assert.False(filter.Count(5));
    }

    [Fact]
    public void Count_ThresholdOne_AdmitsAtOnce() => Assert.True(new AdmissionFilter(threshold: 1, capacity: 64).Count(5));

    [Fact]
    public void Count_MoreItemsThanCapacity_FrequentOnesAreStillAdmitted()
    {
        var filter = new AdmissionFilter(threshold: 4, capacity: 64);
        bool admitted = false;
        for (ulong noise = 100; noise < 400; noise++)
        {
            filter.Count(noise);
            if (noise % 10 == 0)
            {
                admitted |= filter.Count(7);
            }
        }

        Assert.True(admitted);
    }

    [Fact]
    public void Count_MoreItemsThanCapacity_NeverAdmitsEarly()
    {
        var filter = new AdmissionFilter(threshold: 3, capacity: 8);
        var random = new Random(1);
        var seen = new Dictionary<ulong, int>();
        for (int i = 0; i < 10_000; i++)
        {
            ulong key = (ulong)random.Next(40);
            seen[key] = seen.GetValueOrDefault(key) + 1;
            if (filter.Count(key))
            {
                Assert.True(seen[key] >= 3);
                seen[key] = 0;
            }
        }
    }
}
