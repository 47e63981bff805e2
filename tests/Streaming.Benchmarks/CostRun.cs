using Streaming.Kernels.Parallel;

namespace Streaming.Benchmarks;

/// <summary>Time by problem size: candidates, widths, dimension, history length.</summary>
internal sealed class CostRun(Workers workers, TextWriter output)
{
    private const int Rounds = 5;
    private static readonly int[] Five = [8, 16, 32, 64, 128];

    public void Run()
    {
        Softmax(
            "M",
            [.. new[] { 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18 }.Select(bank => new SoftmaxShape($"{bank}", 512, bank, Five))]
        );
        Softmax(
            "widths",
            [
                .. Enumerable
                    .Range(1, 8)
                    .Select(count => Halving("", 128, count))
                    .Select(shape => shape with { Name = string.Join(' ', shape.Widths) }),
            ]
        );
        Softmax("D, five widths", [.. new[] { 32, 64, 128, 256, 512 }.Select(d => Halving($"{d}", d, 5))]);
        Cosine();
        Lengths();
    }

    /// <summary>D and its halves, quarters, …</summary>
    private static SoftmaxShape Halving(string name, int dimension, int count) =>
        new(name, 512, 8192, [.. Enumerable.Range(0, count).Select(i => dimension >> (count - 1 - i))]);

    private void Softmax(string what, SoftmaxShape[] shapes)
    {
        Table table = new(output, what, "ms", "ns a row and candidate", "GFLOP/s");
        SoftmaxWorkload[] workloads = [.. shapes.Select(shape => new SoftmaxWorkload(shape, workers))];
        double[][] times = Interleave(workloads);
        for (int i = 0; i < shapes.Length; i++)
        {
            SoftmaxShape shape = shapes[i];
            double seconds = Timing.Median(times[i]);
            table.Row(
                $"{shape.Name}",
                $"{1e3 * seconds:F2}",
                $"{1e9 * seconds / shape.Rows / shape.Candidates:F2}",
                $"{workloads[i].Operations / seconds / 1e9:F0}"
            );
        }
    }

    private void Cosine()
    {
        Table table = new(output, "shape", "dot product, ms", "cosine, ms", "more");
        foreach (SoftmaxShape shape in SoftmaxShape.Standard)
        {
            double[][] times = Interleave([new SoftmaxWorkload(shape, workers), new SoftmaxWorkload(shape, workers, cosine: true)]);
            double dot = Timing.Median(times[0]),
                cosine = Timing.Median(times[1]);
            table.Row($"{shape.Name}", $"{1e3 * dot:F2}", $"{1e3 * cosine:F2}", $"{(cosine / dot) - 1:P0}");
        }
    }

    private void Lengths()
    {
        Table table = new(output, "L", "training step, ms", "examples/s", "history steps/s");
        foreach (int length in new[] { 10, 25, 50, 100, 200 })
        {
            using TrainingWorkload workload = new(workers.Threads, length);
            workload.WarmUp();
            double seconds = Timing.Median(Timing.Interleave(Rounds, workload.Time)[0]);
            table.Row(
                $"{length}",
                $"{1e3 * seconds:F1}",
                $"{TrainingWorkload.Batch / seconds:F0}",
                $"{TrainingWorkload.Batch * (length + 1) / seconds:F0}"
            );
        }
    }

    private static double[][] Interleave(SoftmaxWorkload[] workloads)
    {
        foreach (SoftmaxWorkload workload in workloads)
        {
            workload.Run();
        }

        return Timing.Interleave(Rounds, [.. workloads.Select(workload => (Func<double>)(() => Timing.Once(workload.Run)))]);
    }
}
