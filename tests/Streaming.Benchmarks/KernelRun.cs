using System.Numerics.Tensors;
using Streaming.Kernels.Parallel;

namespace Streaming.Benchmarks;

/// <summary>Each kernel of a training step against the machine's limits, and against libtorch where it has a counterpart.</summary>
internal sealed class KernelRun(Workers workers, string? peer, TextWriter output)
{
    private const int Rounds = 5;

    /// <summary>Prints a row per kernel. The roofline is the lower of the multiply-add peak and what memory bandwidth allows.</summary>
    /// <param name="only">Name prefixes of the kernels to measure; empty: all.</param>
    public void Run(IReadOnlyList<string> only)
    {
        double peak = MachinePeak.Measure(workers),
            bandwidth = Bandwidth();
        output.WriteLine(
            FormattableString.Invariant(
                $"{workers.Threads} threads, peak {peak / 1e9:F0} GFLOP/s, memory {bandwidth / 1e9:F0} GB/s; {peer ?? "no peer"}"
            )
        );
        Table table = new(output, "kernel", "ms", "GFLOP/s", "GB/s", "of roofline", "libtorch takes");
        foreach (KernelCase kernel in KernelCases.All(workers))
        {
            if (only.Count > 0 && !only.Any(name => kernel.Name.StartsWith(name, StringComparison.Ordinal)))
            {
                continue;
            }

            kernel.Run();
            double[][] times =
                peer is not null && kernel.Peer?.Invoke() is { } other
                    ? Timing.Interleave(Rounds, () => Several(kernel.Run, kernel.Operations), () => Several(other, kernel.Operations))
                    : Timing.Interleave(Rounds, () => Several(kernel.Run, kernel.Operations));
            double seconds = Timing.Median(times[0]),
                roof = Math.Min(peak, bandwidth * kernel.Operations / kernel.Bytes);
            table.Row(
                $"{kernel.Name}",
                $"{1e3 * seconds:F2}",
                $"{kernel.Operations / seconds / 1e9:F0}",
                $"{kernel.Bytes / seconds / 1e9:F1}",
                $"{kernel.Operations / seconds / roof:P0}",
                times.Length > 1 ? (FormattableString)$"{Timing.Median(times[1]) / seconds:F2}x" : $""
            );
        }
    }

    // At least a few milliseconds, so that neither clock resolution nor thread hand-over matters.
    private static double Several(Action run, double operations)
    {
        int repetitions = Math.Max(1, (int)(3e8 / operations));
        return Timing.Once(() =>
            {
                for (int i = 0; i < repetitions; i++)
                {
                    run();
                }
            }) / repetitions;
    }

    private double Bandwidth()
    {
        const int parts = 64,
            length = 1 << 24;
        (float[] From, float[] Add, float[] To) arrays = (new float[length], new float[length], new float[length]);
        double best = double.PositiveInfinity;

        // Pages that were never written all map to the same page.
        Array.Fill(arrays.From, 1f);
        Array.Fill(arrays.Add, 1f);
        for (int round = 0; round < 5; round++)
        {
            best = Math.Min(
                best,
                Timing.Once(() =>
                    workers.Run(
                        parts,
                        ref arrays,
                        static (ref (float[] From, float[] Add, float[] To) arrays, int part, int _) =>
                        {
                            int size = arrays.To.Length / parts,
                                at = part * size;
                            TensorPrimitives.Add(arrays.From.AsSpan(at, size), arrays.Add.AsSpan(at, size), arrays.To.AsSpan(at, size));
                        }
                    )
                )
            );
        }

        return 12.0 * length / best;
    }
}
