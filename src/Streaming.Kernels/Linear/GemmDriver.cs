using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>Blocking, packing and work division of a product.</summary>
/// <remarks>
/// B is packed into panels of 32 columns that stay in the L2 cache; A is read in place, because eight of its rows are
/// eight sequential streams. Each thread packs for itself: that costs little next to the products, and no thread waits for
/// another.
/// </remarks>
internal static class GemmDriver<T>
    where T : struct, ISimd<T>
{
    private const int Columns = GemmKernel<T>.Columns;

    // 256 × 256 floats of B are 256 KB, a quarter of a common L2 cache.
    private const int DepthBlock = 256;
    private const int ColumnBlock = 256;

    // Rows of A that stay in cache while the panels stream past.
    private const int RowBlock = 64;

    // Below this many multiply-adds a second thread costs more than it gains.
    private const long LeastParallelWork = 1 << 16;

    [ThreadStatic]
    private static AlignedFloats? _scratch;

    public static void Run(ref GemmJob job, Workers? workers)
    {
        int threads = (long)job.M * job.N * job.K < LeastParallelWork ? 1 : workers?.Threads ?? 1;
        job.DivideRows = job.M >= job.N;
        int units = job.DivideRows ? (job.M + 7) / 8 : (job.N + Columns - 1) / Columns;

        // A few parts per thread balance a delayed thread; more would repack B too often.
        job.Parts = Math.Min(
            units,
            threads == 1 ? 1
                : job.DivideRows && job.M >= 64 * threads * RowBlock ? 4 * threads
                : threads
        );
        if (job.Parts == 1)
        {
            RunPart(ref job, 0, 0);
            return;
        }

        workers!.Run(job.Parts, ref job, static (ref GemmJob job, int part, int worker) => RunPart(ref job, part, worker));
    }

    private static void RunPart(ref GemmJob job, int part, int worker)
    {
        int rowBegin = 0,
            rowEnd = job.M,
            columnBegin = 0,
            columnEnd = job.N;
        if (job.DivideRows)
        {
            rowBegin = Workers.Begin(job.M, job.Parts, part, 8);
            rowEnd = Workers.Begin(job.M, job.Parts, part + 1, 8);
        }
        else
        {
            columnBegin = Workers.Begin(job.N, job.Parts, part, Columns);
            columnEnd = Workers.Begin(job.N, job.Parts, part + 1, Columns);
        }

        if (job.K == 0 && !job.Accumulate)
        {
            Clear(ref job, rowBegin, rowEnd, columnBegin, columnEnd);
        }

        _scratch ??= new AlignedFloats(DepthBlock * ColumnBlock);
        for (int column = columnBegin; column < columnEnd; column += ColumnBlock)
        {
            int columns = Math.Min(ColumnBlock, columnEnd - column);
            for (int depth = 0; depth < job.K; depth += DepthBlock)
            {
                int steps = Math.Min(DepthBlock, job.K - depth);
                Pack(ref job, depth, steps, column, columns, _scratch.Span);
                MultiplyBlock(ref job, rowBegin, rowEnd, depth, steps, column, columns);
            }
        }
    }

    private static void Clear(ref GemmJob job, int rowBegin, int rowEnd, int columnBegin, int columnEnd)
    {
        for (int row = rowBegin; row < rowEnd; row++)
        {
            job.C.Slice(row * job.LeadingC + columnBegin, columnEnd - columnBegin).Clear();
        }
    }

    private static void MultiplyBlock(ref GemmJob job, int rowBegin, int rowEnd, int depth, int steps, int column, int columns)
    {
        bool accumulate = job.Accumulate || depth > 0;
        for (int row = rowBegin; row < rowEnd; row += RowBlock)
        {
            int rows = Math.Min(RowBlock, rowEnd - row);
            ref float first = ref Unsafe.Add(
                ref MemoryMarshal.GetReference(job.A.Values),
                row * job.A.RowStride + depth * job.A.StepStride
            );
            for (int j = 0; j < columns; j += Columns)
            {
                ref float c = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.C), (nint)row * job.LeadingC + column + j);
                ref float start = ref accumulate ? ref c : ref GemmEdge<T>.Zeros;
                GemmEdge<T>.Multiply(
                    in job.A,
                    ref first,
                    ref Unsafe.Add(ref _scratch!.Reference, (nint)j * steps),
                    ref c,
                    job.LeadingC,
                    ref start,
                    accumulate ? job.LeadingC : 0,
                    rows,
                    steps,
                    Math.Min(Columns, columns - j)
                );
            }
        }
    }

    /// <summary>Panels of 32 columns [steps × 32], concatenated; columns beyond the end of B are 0.</summary>
    private static void Pack(ref GemmJob job, int depth, int steps, int column, int columns, Span<float> packed)
    {
        for (int j = 0; j < columns; j += Columns)
        {
            int width = Math.Min(Columns, columns - j);
            Span<float> panel = packed.Slice(j * steps, steps * Columns);
            if (width < Columns)
            {
                panel.Clear();
            }

            nint first = depth * job.B.RowStride + (column + j) * job.B.StepStride;
            if (job.B.StepStride == 1)
            {
                for (int step = 0; step < steps; step++)
                {
                    job.B.Values.Slice((int)(first + step * job.B.RowStride), width).CopyTo(panel[(step * Columns)..]);
                }
            }
            else
            {
                PackTransposed(job.B.Values[(int)first..], (int)job.B.StepStride, steps, width, panel);
            }
        }
    }

    private static void PackTransposed(ReadOnlySpan<float> rows, int stride, int steps, int width, Span<float> panel)
    {
        for (int lane = 0; lane < width; lane++)
        {
            ReadOnlySpan<float> row = rows.Slice(lane * stride, steps);
            for (int step = 0; step < row.Length; step++)
            {
                panel[step * Columns + lane] = row[step];
            }
        }
    }
}
