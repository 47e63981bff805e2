using System.Numerics.Tensors;
using Streaming.Kernels.Parallel;

namespace Streaming.Kernels.Norms;

/// <summary>1 / √(|x|² + 10⁻¹²) of the prefix of each row: the factor that turns a dot product into a cosine.</summary>
public static class InverseNorms
{
    // Gives a zero vector cosine 0 with every other vector.
    private const float Epsilon = 1e-12f;
    private const int RowsPerPart = 512;

    /// <summary>Computes the inverse norms of all rows at one width.</summary>
    /// <param name="rows">Row-major vectors.</param>
    /// <param name="stride">Distance between rows, at least <paramref name="width"/>.</param>
    /// <param name="width">Length of the prefix.</param>
    /// <param name="output">Out: one value per row; its length is the number of rows.</param>
    public static void Compute(ReadOnlySpan<float> rows, int stride, int width, Span<float> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, width);
        for (int row = 0; row < output.Length; row++)
        {
            output[row] = 1f / MathF.Sqrt(TensorPrimitives.SumOfSquares(rows.Slice(row * stride, width)) + Epsilon);
        }
    }

    /// <summary>Computes the inverse norms of all rows at every nested width.</summary>
    /// <param name="rows">Row-major vectors [n × D].</param>
    /// <param name="widths">Nested widths; the last is D.</param>
    /// <param name="output">Out: [K × n].</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    internal static void ComputeNested(ReadOnlySpan<float> rows, ReadOnlySpan<int> widths, Span<float> output, Workers? workers)
    {
        NestedJob job = new()
        {
            Rows = rows,
            Widths = widths,
            Output = output,
            Count = rows.Length / widths[^1],
        };
        Workers.RunOn(
            workers,
            (job.Count + RowsPerPart - 1) / RowsPerPart,
            ref job,
            static (ref NestedJob job, int part, int _) =>
            {
                int end = Math.Min(job.Count, (part + 1) * RowsPerPart),
                    dimension = job.Widths[^1];
                for (int row = part * RowsPerPart; row < end; row++)
                {
                    float sum = Epsilon;
                    int begin = 0;
                    for (int k = 0; k < job.Widths.Length; k++)
                    {
                        sum += TensorPrimitives.SumOfSquares(job.Rows.Slice(row * dimension + begin, job.Widths[k] - begin));
                        job.Output[k * job.Count + row] = 1f / MathF.Sqrt(sum);
                        begin = job.Widths[k];
                    }
                }
            }
        );
    }

    private ref struct NestedJob
    {
        public ReadOnlySpan<float> Rows;
        public ReadOnlySpan<int> Widths;
        public Span<float> Output;
        public int Count;
    }
}
