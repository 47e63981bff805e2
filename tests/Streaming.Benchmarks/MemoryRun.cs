using Streaming.Kernels.Parallel;

namespace Streaming.Benchmarks;

/// <summary>Managed memory of a training step by part, at the shape of <see cref="TrainingWorkload"/>.</summary>
internal static class MemoryRun
{
    private const double Megabyte = 1e6;

    public static void Run(int threads, TextWriter output)
    {
        long created = Allocated(() => new TrainingWorkload(threads), out TrainingWorkload workload);
        using (workload)
        {
            long steps = Allocated(
                () =>
                {
                    workload.WarmUp();
                    return 0;
                },
                out _
            );
            long more = Allocated(
                () =>
                {
                    workload.Draw();
                    workload.Run();
                    return 0;
                },
                out _
            );
            SoftmaxShape shape = SoftmaxShape.Standard[0];
            using Workers workers = new(threads);
            SoftmaxWorkload softmax = new(shape, workers);
            softmax.Run();
            long scratch = softmax.ScratchBytes;
            Table table = new(output, "part", "MB");
            foreach ((string part, long bytes) in workload.Parts)
            {
                table.Row($"{part}", $"{bytes / Megabyte:F2}");
                created -= bytes;
            }

            table.Row($"other allocations before the first step", $"{created / Megabyte:F2}");
            table.Row($"scratch of the nested softmax", $"{scratch / Megabyte:F2}");
            table.Row($"activations and gradients of 512 histories of 51 steps", $"{(steps - scratch) / Megabyte:F2}");
            table.Row($"another step", $"{more / Megabyte:F2}");
            table.Row($"not held: scores of one width, B × N", $"{4.0 * shape.Rows * shape.Candidates / Megabyte:F2}");
        }
    }

    private static long Allocated<T>(Func<T> action, out T result)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        result = action();
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }
}
