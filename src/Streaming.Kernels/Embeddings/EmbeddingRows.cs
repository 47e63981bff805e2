using System.Numerics.Tensors;
using Streaming.Kernels.Parallel;

namespace Streaming.Kernels.Embeddings;

/// <summary>Reads and adds to rows of a row-major table.</summary>
public static class EmbeddingRows
{
    /// <summary>Copies table rows: output[i] = table[rows[i]]; a negative row gives zeros.</summary>
    /// <param name="table">Table [capacity × dimension].</param>
    /// <param name="dimension">Floats per row.</param>
    /// <param name="rows">Row of each output, below capacity.</param>
    /// <param name="output">Out: [rows × dimension].</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void Gather(ReadOnlySpan<float> table, int dimension, ReadOnlySpan<int> rows, Span<float> output, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, rows.Length * dimension, nameof(output));
        GatherJob job = new()
        {
            Table = table,
            Rows = rows,
            Output = output,
            Dimension = dimension,
        };
        Workers.RunOn(
            workers,
            (rows.Length + 255) / 256,
            ref job,
            static (ref GatherJob job, int part, int _) =>
            {
                int end = Math.Min(job.Rows.Length, (part + 1) * 256);
                for (int i = part * 256; i < end; i++)
                {
                    Span<float> target = job.Output.Slice(i * job.Dimension, job.Dimension);
                    if (job.Rows[i] < 0)
                    {
                        target.Clear();
                    }
                    else
                    {
                        job.Table.Slice(job.Rows[i] * job.Dimension, job.Dimension).CopyTo(target);
                    }
                }
            }
        );
    }

    /// <summary>Adds to table rows: table[rows[i]] += values[i], in the order of i; negative rows are skipped.</summary>
    /// <param name="values">[rows × dimension].</param>
    /// <param name="dimension">Floats per row.</param>
    /// <param name="rows">Row that each value is added to, below capacity; a row may occur many times.</param>
    /// <param name="table">In and out: table [capacity × dimension].</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. The result is bitwise identical: threads divide
    /// the columns, not the rows.</param>
    public static void ScatterAdd(
        ReadOnlySpan<float> values,
        int dimension,
        ReadOnlySpan<int> rows,
        Span<float> table,
        Workers? workers = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(values.Length, rows.Length * dimension, nameof(values));
        ScatterJob job = new()
        {
            Values = values,
            Rows = rows,
            Table = table,
            Dimension = dimension,
            Parts = workers?.Threads ?? 1,
        };
        Workers.RunOn(
            workers,
            job.Parts,
            ref job,
            static (ref ScatterJob job, int part, int _) =>
            {
                int begin = Workers.Begin(job.Dimension, job.Parts, part, 16);
                int length = Workers.Begin(job.Dimension, job.Parts, part + 1, 16) - begin;
                for (int i = 0; i < job.Rows.Length && length > 0; i++)
                {
                    if (job.Rows[i] >= 0)
                    {
                        Span<float> target = job.Table.Slice(job.Rows[i] * job.Dimension + begin, length);
                        TensorPrimitives.Add(target, job.Values.Slice(i * job.Dimension + begin, length), target);
                    }
                }
            }
        );
    }

    private ref struct GatherJob
    {
        public ReadOnlySpan<float> Table;
        public ReadOnlySpan<int> Rows;
        public Span<float> Output;
        public int Dimension;
    }

    private ref struct ScatterJob
    {
        public ReadOnlySpan<float> Values;
        public ReadOnlySpan<int> Rows;
        public Span<float> Table;
        public int Dimension;
        public int Parts;
    }
}
