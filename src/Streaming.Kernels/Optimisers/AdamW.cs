namespace Streaming.Kernels;

/// <summary>Fused AdamW updates: one pass over parameters, gradients and both moments.</summary>
public static class AdamW
{
    private const int Block = 16384;

    /// <summary>Updates dense parameters.</summary>
    /// <param name="parameters">In and out: p [n].</param>
    /// <param name="gradients">g [n].</param>
    /// <param name="firstMoments">In and out: m [n].</param>
    /// <param name="secondMoments">In and out: v [n].</param>
    /// <param name="step">The step's numbers.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public static void Update(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> firstMoments, Span<float> secondMoments, in AdamWStep step, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradients.Length, parameters.Length, nameof(gradients));
        ArgumentOutOfRangeException.ThrowIfNotEqual(firstMoments.Length, parameters.Length, nameof(firstMoments));
        ArgumentOutOfRangeException.ThrowIfNotEqual(secondMoments.Length, parameters.Length, nameof(secondMoments));
        DenseJob job = new() { Parameters = parameters, Gradients = gradients, First = firstMoments, Second = secondMoments, Step = step };
        Workers.RunOn(workers, (parameters.Length + Block - 1) / Block, ref job, static (ref DenseJob job, int part, int _) =>
        {
            int begin = part * Block, length = Math.Min(Block, job.Parameters.Length - begin);
            UpdateSpan(job.Parameters.Slice(begin, length), job.Gradients.Slice(begin, length), job.First.Slice(begin, length), job.Second.Slice(begin, length), job.Step);
        });
    }

    /// <summary>
    /// Updates only the touched rows of a table. What a row missed while idle is made up first: its moments decay by
    /// βⁿ and its weights by (1 − LearningRate · WeightDecay)ⁿ for n idle steps.
    /// </summary>
    /// <param name="rows">Touched rows, each once.</param>
    /// <param name="gradients">Gradient of each touched row [rows × dimension].</param>
    /// <param name="idleSteps">Steps since the row's last update, not counting this one [rows], 0 and up.</param>
    /// <param name="dimension">Floats a row.</param>
    /// <param name="table">In and out: parameters [capacity × dimension].</param>
    /// <param name="firstMoments">In and out: [capacity × dimension].</param>
    /// <param name="secondMoments">In and out: [capacity × dimension].</param>
    /// <param name="step">The step's numbers.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public static void UpdateRows(ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients, ReadOnlySpan<int> idleSteps, int dimension, Span<float> table, Span<float> firstMoments, Span<float> secondMoments, in AdamWStep step, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(gradients.Length, rows.Length * dimension, nameof(gradients));
        ArgumentOutOfRangeException.ThrowIfNotEqual(idleSteps.Length, rows.Length, nameof(idleSteps));
        RowJob job = new() { Rows = rows, Gradients = gradients, IdleSteps = idleSteps, Dimension = dimension, Table = table, First = firstMoments, Second = secondMoments, Step = step };
        Workers.RunOn(workers, (rows.Length + 127) / 128, ref job, static (ref RowJob job, int part, int _) =>
        {
            int end = Math.Min(job.Rows.Length, (part + 1) * 128);
            for (int i = part * 128; i < end; i++)
            {
                UpdateRow(ref job, i);
            }
        });
    }

    private static void UpdateRow(ref RowJob job, int i)
    {
        int d = job.Dimension, begin = job.Rows[i] * d, idle = job.IdleSteps[i];
        Span<float> row = job.Table.Slice(begin, d), first = job.First.Slice(begin, d), second = job.Second.Slice(begin, d);
        if (idle > 0)
        {
            Scale(row, MathF.Pow(1f - job.Step.LearningRate * job.Step.WeightDecay, idle));
            Scale(first, MathF.Pow(job.Step.Beta1, idle));
            Scale(second, MathF.Pow(job.Step.Beta2, idle));
        }

        UpdateSpan(row, job.Gradients.Slice(i * d, d), first, second, job.Step);
    }

    private static void Scale(Span<float> values, float factor)
    {
        if (factor != 1f)
        {
            System.Numerics.Tensors.TensorPrimitives.Multiply(values, factor, values);
        }
    }

    private static void UpdateSpan(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> first, Span<float> second, in AdamWStep step)
    {
        float keep = 1f - step.LearningRate * step.WeightDecay;
        float rate = step.LearningRate / step.Correction1;
        float root = 1f / MathF.Sqrt(step.Correction2);
        for (int i = 0; i < parameters.Length; i++)
        {
            float g = gradients[i] * step.GradientScale;
            float m = step.Beta1 * first[i] + (1f - step.Beta1) * g;
            float v = step.Beta2 * second[i] + (1f - step.Beta2) * g * g;
            first[i] = m;
            second[i] = v;
            parameters[i] = keep * parameters[i] - rate * m / (MathF.Sqrt(v) * root + step.Epsilon);
        }
    }

    private ref struct DenseJob
    {
        public Span<float> Parameters;
        public ReadOnlySpan<float> Gradients;
        public Span<float> First;
        public Span<float> Second;
        public AdamWStep Step;
    }

    private ref struct RowJob
    {
        public ReadOnlySpan<int> Rows;
        public ReadOnlySpan<float> Gradients;
        public ReadOnlySpan<int> IdleSteps;
        public int Dimension;
        public Span<float> Table;
        public Span<float> First;
        public Span<float> Second;
        public AdamWStep Step;
    }
}
