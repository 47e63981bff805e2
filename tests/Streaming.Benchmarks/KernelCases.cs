using Streaming.Benchmarks.Libtorch;
using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Linear;
using Streaming.Kernels.Norms;
using Streaming.Kernels.Optimisers;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Recurrence;
using Streaming.Kernels.Simd;

namespace Streaming.Benchmarks;

/// <summary>The kernels of a training step, at its shapes: 512 histories of 51 steps, width 128, five widths.</summary>
internal static class KernelCases
{
    private const int Sequences = 512;
    private const int Length = 51;
    private const int D = 128;
    private const int Chunk = 10 * Length;
    private static readonly int[] Widths = [8, 16, 32, 64, 128];

    /// <summary>All kernels.</summary>
    public static IEnumerable<KernelCase> All(Workers workers) =>
        [
            .. Products(workers),
            .. Linear(workers),
            Recurrence(workers, backward: false),
            Recurrence(workers, backward: true),
            CachedRecurrence(),
            .. Rows(workers),
            Softmax(workers, cosine: false),
            Softmax(workers, cosine: true),
            Optimiser(workers),
        ];

    private static IEnumerable<KernelCase> Products(Workers workers)
    {
        foreach (
            (int m, int n, int k) in new[] { (512, 128, 128), (25600, 128, 128), (1024, 256, 256), (4096, 256, 256), (2048, 2048, 2048) }
        )
        {
            float[] a = Values(m * k),
                b = Values(k * n),
                c = new float[m * n];
            yield return new(
                $"SGEMM {m} × {n} × {k}",
                () => Gemm.Multiply(m, n, k, a, k, b, n, c, n, workers: workers),
                2.0 * m * n * k,
                4.0 * (a.Length + b.Length + c.Length),
                () => KernelPeers.Product(m, n, k, a, b)
            );
        }
    }

    /// <summary>The three products of a nested linear layer, in chunks as in the towers.</summary>
    private static KernelCase[] Linear(Workers workers)
    {
        const int rows = Sequences * Length;
        float[] x = Values(rows * D),
            y = new float[rows * D],
            bias = new float[D];
        NestedProduct product = new(Widths, Widths);
        double weights = 0;
        for (int k = 0, begin = 0; k < Widths.Length; begin = Widths[k++])
        {
            product.Pack(k, Values(Widths[k] * (Widths[k] - begin)));
            weights += Widths[k] * (Widths[k] - begin);
        }

        float[][] gradients = [.. Enumerable.Range(0, workers.Threads).Select(_ => new float[D * D])];
        double operations = 2 * weights * rows,
            bytes = 8.0 * rows * D;
        return
        [
            new(
                "nested linear, forward",
                () => Chunks(workers, (first, count, _) => product.Forward(x.AsSpan(first * D), bias, y.AsSpan(first * D), count)),
                operations,
                bytes
            ),
            new(
                "nested linear, by inputs",
                () =>
                    Chunks(
                        workers,
                        (first, count, _) => product.Backward(x.AsSpan(first * D), y.AsSpan(first * D), count, accumulate: false)
                    ),
                operations,
                bytes
            ),
            new(
                "nested linear, by weights",
                () =>
                    Chunks(
                        workers,
                        (first, count, worker) => WeightGradients(x.AsSpan(first * D), y.AsSpan(first * D), count, gradients[worker])
                    ),
                operations,
                bytes
            ),
        ];
    }

    private static void WeightGradients(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, int rows, Span<float> gradients)
    {
        Gemm.MultiplyTransposeA(32, 32, rows, x, D, dy, D, gradients, D, accumulate: true);
        Gemm.MultiplyTransposeA(64, 32, rows, x, D, dy[32..], D, gradients[32..], D, accumulate: true);
        Gemm.MultiplyTransposeA(128, 64, rows, x, D, dy[64..], D, gradients[64..], D, accumulate: true);
    }

    private static KernelCase Recurrence(Workers workers, bool backward)
    {
        const int rows = Sequences * Length,
            size = 2 * D;
        float[] states = Values(rows * size),
            gradients = Values(rows * size),
            lambda = Values(size, 0.5f),
            gamma = Values(size);
        float[][] sums = [.. Enumerable.Range(0, workers.Threads).Select(_ => new float[2 * size])];
        void Forward() =>
            Chunks(
                workers,
                (first, count, _) =>
                    Each(first, count, at => NestedLruScan.Forward(states.AsSpan(at * size), Length, Widths, lambda, gamma))
            );
        void Backward() =>
            Chunks(
                workers,
                (first, count, worker) =>
                    Each(
                        first,
                        count,
                        at =>
                            NestedLruScan.Backward(
                                states.AsSpan(at * size),
                                gradients.AsSpan(at * size),
                                Length,
                                Widths,
                                lambda,
                                gamma,
                                sums[worker].AsSpan(0, size),
                                sums[worker].AsSpan(size)
                            )
                    )
            );
        double values = (double)rows * D;
        return backward
            ? new(
                "LRU, forward and backward",
                () =>
                {
                    Forward();
                    Backward();
                },
                values * 46,
                values * 8 * 5,
                () => KernelPeers.Recurrence(Sequences, Length, D)
            )
            : new("LRU, forward", Forward, values * 10, values * 8 * 2);

        static void Each(int first, int count, Action<int> sequence)
        {
            for (int at = first; at < first + count; at += Length)
            {
                sequence(at);
            }
        }
    }

    /// <summary>One sequence repeatedly: the cost of the recurrence if its rows never left the cache.</summary>
    private static KernelCase CachedRecurrence()
    {
        const int size = 2 * D;
        float[] states = Values(Length * size),
            gradients = Values(Length * size),
            lambda = Values(size, 0.5f),
            sums = new float[2 * size];

        // 0 keeps values that are updated in place from growing or fading into denormal numbers.
        float[] gamma = new float[size];
        return new("LRU, forward and backward, rows in cache", Run, (double)Sequences * Length * D * 46, 0);

        void Run()
        {
            for (int i = 0; i < Sequences; i++)
            {
                NestedLruScan.Forward(states, Length, Widths, lambda, gamma);
                NestedLruScan.Backward(states, gradients, Length, Widths, lambda, gamma, sums.AsSpan(0, size), sums.AsSpan(size));
            }
        }
    }

    private static KernelCase[] Rows(Workers workers)
    {
        const int rows = Sequences * Length;
        float[] x = Values(rows * D),
            y = new float[x.Length],
            z = Values(x.Length),
            gain = Values(D),
            sums = new float[D],
            other = new float[D];
        IncrementNorm norm = new(Widths, workers: workers);
        float[] statistics = new float[rows * norm.StatisticsPerRow],
            rates = [0.2f, 0.2f, 0.2f, 0.2f, 0.2f];
        double values = x.Length;
        return
        [
            new("norm, forward", () => norm.Forward(x, gain, gain, y, statistics), 8 * values, 8 * values),
            new("norm, backward", () => norm.Backward(z, x, gain, statistics, y, sums, other), 16 * values, 12 * values),
            new(
                "dropout",
                () =>
                    Chunks(
                        workers,
                        (first, count, _) =>
                            NestedDropout.Apply(y.AsSpan(first * D, count * D), first, Widths, rates, new DropoutKey(1, 2, 3))
                    ),
                values,
                8 * values
            ),
            new("SiLU gate, forward", () => SiluGate.Forward(x, z, y, workers), 16 * values, 12 * values),
            new("SiLU gate, backward", () => SiluGate.Backward(x, z, y, y, z, workers), 24 * values, 20 * values),
        ];
    }

    private static KernelCase Softmax(Workers workers, bool cosine)
    {
        SoftmaxWorkload workload = new(SoftmaxShape.Standard[0], workers, cosine);
        SoftmaxShape shape = workload.Shape;
        return new(
            $"nested softmax S0{(cosine ? ", cosine" : "")}",
            workload.Run,
            workload.Operations,
            4.0 * ((2.0 * shape.Rows) + shape.Candidates + shape.Rows) * shape.Dimension,
            cosine ? null : () => Cumulative(workload)
        );
    }

    private static Action Cumulative(SoftmaxWorkload workload)
    {
        var peer = new SoftmaxPeer(workload);
        peer.RequireSame("cumulative", peer.Cumulative);
        return () => peer.Cumulative();
    }

    private static KernelCase Optimiser(Workers workers)
    {
        const int count = 1 << 22;
        float[] values = Values(count),
            gradients = Values(count),
            first = Values(count),
            second = new float[count];
        AdamWStep step = new AdamWStep
        {
            LearningRate = 1e-3f,
            Beta1 = 0.9f,
            Beta2 = 0.999f,
            Epsilon = 1e-8f,
            WeightDecay = 0.01f,
            GradientScale = 1,
        }.At(1);
        return new(
            "AdamW, 4 M parameters",
            () => AdamW.Update(values, gradients, first, second, step, workers),
            14.0 * count,
            28.0 * count
        );
    }

    private static void Chunks(Workers workers, Action<int, int, int> chunk)
    {
        const int rows = Sequences * Length;
        workers.Run(
            (rows + Chunk - 1) / Chunk,
            ref chunk,
            static (ref Action<int, int, int> chunk, int part, int worker) =>
                chunk(part * Chunk, Math.Min(Chunk, rows - (part * Chunk)), worker)
        );
    }

    private static float[] Values(int count, float scale = 1)
    {
        Random random = new(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = scale * (random.NextSingle() - 0.5f);
        }

        return values;
    }
}
