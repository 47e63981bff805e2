using System.Runtime.InteropServices;
using Streaming.Benchmarks.Libtorch;
using Streaming.Kernels.Parallel;

namespace Streaming.Benchmarks;

/// <summary>The two most important comparisons, in about two minutes: nested softmax and the whole training step.</summary>
internal sealed class QuickRun(Workers workers, string? peer, TextWriter output)
{
    private const int SoftmaxRounds = 5;
    private const int StepRounds = 4;

    public BenchmarkReport Run()
    {
        double peak = MachinePeak.Measure(workers);
        Print($"machine peak {peak / 1e9:F0} GFLOP/s on {workers.Threads} threads; {peer ?? "no peer"}");
        Print();
        Print($"{"nested softmax", -16}{"ms", 9}{"of peak", 9}{"scratch KB", 12}{"naive", 9}{"cumulative", 12}");
        List<SoftmaxRow> rows = [];
        foreach (SoftmaxShape shape in SoftmaxShape.Standard)
        {
            rows.Add(Softmax(shape, peak));
        }

        Print();
        TrainingRow step = Step();
        return new BenchmarkReport
        {
            Machine = $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, .NET {Environment.Version}",
            Peer = peer ?? "none",
            Threads = workers.Threads,
            PeakGigaflops = peak / 1e9,
            NestedSoftmax = rows,
            TrainingStep = step,
        };
    }

    private SoftmaxRow Softmax(SoftmaxShape shape, double peak)
    {
        SoftmaxWorkload workload = new(shape, workers);
        workload.Run();
        double[] naive = [],
            cumulative = [],
            ours;
        if (peer is null)
        {
            ours = Timing.Interleave(SoftmaxRounds, () => Timing.Once(workload.Run))[0];
        }
        else
        {
            using var other = new SoftmaxPeer(workload);
            other.RequireSame("loop over widths", other.Naive);
            other.RequireSame("cumulative", other.Cumulative);
            double[][] times = Timing.Interleave(
                SoftmaxRounds,
                () => Timing.Once(workload.Run),
                () => Timing.Once(() => other.Naive()),
                () => Timing.Once(() => other.Cumulative())
            );
            (ours, naive, cumulative) = (times[0], times[1], times[2]);
        }

        double seconds = Timing.Median(ours);
        SoftmaxRow row = new(
            shape.Name,
            1e3 * seconds,
            Ratio(naive, seconds),
            Ratio(cumulative, seconds),
            workload.Operations / seconds / peak,
            workload.ScratchBytes
        );
        Print(
            $"{shape.Name, -16}{row.Milliseconds, 9:F1}{row.PeakFraction, 9:P0}{row.ScratchBytes / 1000, 12}"
                + $"{row.PeerNaiveRatio, 8:F1}x{row.PeerCumulativeRatio, 11:F1}x"
        );
        return row;
    }

    private TrainingRow Step()
    {
        using TrainingWorkload workload = new(workers.Threads);
        workload.WarmUp();
        double[] ours,
            theirs = [];
        if (peer is null)
        {
            ours = Timing.Interleave(StepRounds, workload.Time)[0];
        }
        else
        {
            RequireSameSteps();
            StepPeer other = workload.CreatePeer();
            workload.Time(other);
            double[][] times = Timing.Interleave(StepRounds, workload.Time, () => workload.Time(other));
            (ours, theirs) = (times[0], times[1]);
        }

        double seconds = Timing.Median(ours);
        TrainingRow row = new(TrainingWorkload.Batch / seconds, Ratio(theirs, seconds), AllocatedBytes(workload));
        Print(
            $"training step   {1e3 * seconds, 9:F1} ms, {row.ExamplesPerSecond:F0} examples/s, libtorch takes {row.PeerRatio:F1}x, "
                + $"{row.AllocatedBytesPerStep:F0} bytes allocated a step"
        );
        return row;
    }

    // Three steps: the later ones show that parameters, moments and bank were updated equally.
    private void RequireSameSteps()
    {
        using TrainingWorkload exact = new(workers.Threads, random: false);
        StepPeer other = exact.CreatePeer();
        other.KeepRowGradients = true;
        for (int i = 0; i < 3; i++)
        {
            exact.RequireSameStep(other);
        }
    }

    private static double AllocatedBytes(TrainingWorkload workload)
    {
        const int steps = 4;
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < steps; i++)
        {
            workload.Draw();
            workload.Run();
        }

        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)steps;
    }

    private static double? Ratio(double[] theirs, double ours) => theirs.Length == 0 ? null : Timing.Median(theirs) / ours;

    private void Print(string line) => output.WriteLine(line);

    private void Print() => output.WriteLine();
}
