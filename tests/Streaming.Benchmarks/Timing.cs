using System.Diagnostics;

namespace Streaming.Benchmarks;

/// <summary>Measures calls.</summary>
internal static class Timing
{
    /// <summary>Gets or sets whether processor time of the process is measured in place of the wall clock: what is left to
    /// measure when other programs hold the processor. Meaningful with one thread.</summary>
    public static bool ProcessorTime { get; set; }

    /// <summary>Seconds that one call takes.</summary>
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

    /// <summary>Median of measured values; of processor times the least, for what others do only adds to them.</summary>
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
    /// Takes turns, so that whatever else the machine does falls on all alike, and gives each contestant's times. Each turn
    /// begins when the threads of the one before have gone to sleep: OpenMP's spin for some milliseconds after work.
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

        throw new InvalidOperationException("Something in this process keeps working between measurements: times would not be those of what is measured.");
    }
}
