using System.Numerics;

namespace Streaming.Core.Metrics;

/// <summary>
/// Counts durations in logarithmic buckets, 32 per doubling: quantiles are accurate to about 3 % in a fixed 10 KB (similar to
/// HdrHistogram). Recording allocates nothing and is thread-safe.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int SubBuckets = 1 << SubBits;
    private const int MaxBits = 42;

    /// <summary>Longer durations than 2⁴² microseconds, or 50 days, count as that.</summary>
    private const long MaxMicroseconds = (1L << MaxBits) - 1;

    private readonly long[] _counts = new long[(MaxBits - SubBits + 1) * SubBuckets];
    private long _count;

    /// <summary>Gets the number of durations recorded.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Records a duration, <paramref name="times"/> times; negative ones count as zero.</summary>
    public void Record(TimeSpan duration, long times = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(times);
        long microseconds = Math.Clamp((long)duration.TotalMicroseconds, 0, MaxMicroseconds);
        Interlocked.Add(ref _counts[Bucket(microseconds)], times);
        Interlocked.Add(ref _count, times);
    }

    /// <summary>Computes a quantile, in milliseconds.</summary>
    /// <param name="quantile">0 … 1; 0.5 is the median.</param>
    /// <returns>The middle of the bucket that holds the quantile; 0 when nothing was recorded.</returns>
    public double Quantile(double quantile) => Quantile(quantile, [this]);

    /// <summary>The same over several histograms together.</summary>
    internal static double Quantile(double quantile, ReadOnlySpan<LatencyHistogram> histograms)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quantile);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quantile, 1);
        int buckets = histograms[0]._counts.Length;
        long total = 0;
        for (int i = 0; i < buckets; i++)
        {
            total += Sum(histograms, i);
        }

        long rank = Math.Max(1, (long)Math.Ceiling(quantile * total));
        long seen = 0;
        for (int i = 0; i < buckets; i++)
        {
            seen += Sum(histograms, i);
            if (seen >= rank)
            {
                return Middle(i) / 1000;
            }
        }

        return 0;
    }

    /// <summary>Clears all counts, for quantiles over an interval.</summary>
    public void Reset()
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            Interlocked.Exchange(ref _counts[i], 0);
        }

        Interlocked.Exchange(ref _count, 0);
    }

    private static long Sum(ReadOnlySpan<LatencyHistogram> histograms, int bucket)
    {
        long sum = 0;
        foreach (LatencyHistogram histogram in histograms)
        {
            sum += Volatile.Read(ref histogram._counts[bucket]);
        }

        return sum;
    }

    private static int Bucket(long microseconds)
    {
        if (microseconds < SubBuckets)
        {
            return (int)microseconds;
        }

        int shift = BitOperations.Log2((ulong)microseconds) - SubBits;
        return ((shift + 1) * SubBuckets) + (int)((microseconds >> shift) - SubBuckets);
    }

    private static double Middle(int bucket)
    {
        if (bucket < SubBuckets)
        {
            return bucket;
        }

        int shift = (bucket / SubBuckets) - 1;
        long low = (long)((bucket % SubBuckets) + SubBuckets) << shift;
        return low + (((1L << shift) - 1) / 2.0);
    }
}
