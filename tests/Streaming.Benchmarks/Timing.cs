using System.Diagnostics;

namespace Streaming.Benchmarks;

/// <summary>Measures calls.</summary>
internal static class Timing
{
    /// <summary>Gets or sets whether to measure the process's CPU time instead of wall time: the only usable measure
    /// while other programs occupy the CPU. Meaningful with one thread.</summary>
    public static bool ProcessorTime { get; set; }

    /// <summary>Measures one call, in seconds.</summary>
    public static double Once(Action action)
    {
        if (ProcessorTime)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            action();
            return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        }

        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Median seconds of a call, over calls that fill about the given time.</summary>
    public static double Median(Action action, double seconds = 1)
    {
        action();
        List<double> times = [];
        for (double total = 0; total < seconds || times.Count < 5; total += times[^1])
        {
            times.Add(Once(action));
        }

        return Median(times);
    }

    /// <summary>The median of wall times; the minimum of CPU times, which other processes can only increase.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (ProcessorTime)
        {
            return sorted[0];
        }

        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>
    /// Measures contestants in turns, so that other load affects all equally, and returns each one's times. A turn
    /// starts when the previous one's threads are asleep: OpenMP's spin for some milliseconds after work.
    /// </summary>
    public static double[][] Interleave(int rounds, params Func<double>[] contestants)
    {
        double[][] times = [.. contestants.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                Rest();
                times[i][round] = contestants[i]();
            }
        }

        return times;
    }

    /// <summary>Waits until this process uses no processor time.</summary>
    private static void Rest()
    {
        const int most = 500;
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < most; i++)
        {
            Thread.Sleep(20);
            TimeSpan now = Environment.CpuUsage.TotalTime;
            if (now - before < TimeSpan.FromMilliseconds(2))
            {
                return;
            }

            before = now;
        }

        throw new InvalidOperationException(
            "Something in this process keeps working between measurements: times would not be those of what is measured."
        );
    }
}
