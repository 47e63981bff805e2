using Streaming.Core.Metrics;
using Xunit;

namespace Streaming.Core.Tests.Metrics;

public class LatencyHistogramTests
{
    [Fact]
    public void Quantile_KnownSamples_IsRightToThreePercent()
    {
        LatencyHistogram histogram = new();
        Random random = new(3);
        double[] samples = [.. Enumerable.Range(0, 20_000).Select(_ => Math.Exp(random.NextDouble() * 14))];
        foreach (double microseconds in samples)
        {
            histogram.Record(TimeSpan.FromMicroseconds(microseconds));
        }

        Array.Sort(samples);
        foreach (double quantile in new[] { 0.01, 0.5, 0.9, 0.99, 1 })
        {
            double exact = samples[(int)Math.Ceiling(quantile * samples.Length) - 1] / 1000;
            Assert.Equal(exact, histogram.Quantile(quantile), (exact * 0.032) + 0.001);
        }

        Assert.Equal(samples.Length, histogram.Count);
    }

    [Fact]
    public void Record_Extremes_AreCountedAtTheEnds()
    {
        LatencyHistogram histogram = new();
        histogram.Record(TimeSpan.FromDays(-1));
        Assert.Equal(0, histogram.Quantile(1));
        histogram.Record(TimeSpan.MaxValue, times: 3);
        Assert.Equal(4, histogram.Count);
        Assert.InRange(histogram.Quantile(1), TimeSpan.FromDays(49).TotalMilliseconds, TimeSpan.FromDays(51).TotalMilliseconds);
    }

    [Fact]
    public void Reset_AfterSamples_IsEmpty()
    {
        LatencyHistogram histogram = new();
        histogram.Record(TimeSpan.FromSeconds(1));
        histogram.Reset();

        Assert.Equal(0, histogram.Count);
        Assert.Equal(0, histogram.Quantile(0.5));
    }
}
