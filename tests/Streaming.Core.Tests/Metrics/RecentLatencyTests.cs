using Streaming.Core.Metrics;
using Xunit;

namespace Streaming.Core.Tests.Metrics;

public sealed class RecentLatencyTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void WhatIsOlderThanTwoHalves_IsForgotten()
    {
        var recent = new RecentLatency(TimeSpan.FromSeconds(30), _time);
        recent.Record(TimeSpan.FromHours(1));
        Assert.Equal(3_600_000, recent.Quantile(0.99), 3_600_000 * 0.032);

        _time.Advance(TimeSpan.FromSeconds(31));
        recent.Record(TimeSpan.FromSeconds(1));
        Assert.Equal(2, recent.Count);
        Assert.Equal(3_600_000, recent.Quantile(0.99), 3_600_000 * 0.032);

        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(1, recent.Count);
        Assert.Equal(1_000, recent.Quantile(0.99), 32.0);
    }

    [Fact]
    public void Quantile_NoSampleForLong_IsZero()
    {
        var recent = new RecentLatency(TimeSpan.FromSeconds(30), _time);
        recent.Record(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (recent.Count, recent.Quantile(0.5)));
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
