using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Optimisers;

/// <summary>Fused AdamW updates: one pass over parameters, gradients and both moments.</summary>
public static class AdamW
{
    /// <summary>Updates dense parameters.</summary>
    /// <param name="parameters">In and out: p [n].</param>
    /// <param name="gradients">g [n].</param>
    /// <param name="firstMoments">In and out: m [n].</param>
    /// <param name="secondMoments">In and out: v [n].</param>
    /// <param name="step">Constants of the step.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void Update(
        Span<float> parameters,
        ReadOnlySpan<float> gradients,
        Span<float> firstMoments,
        Span<float> secondMoments,
        in AdamWStep step,
        Workers? workers = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradients.Length, parameters.Length, nameof(gradients));
        ArgumentOutOfRangeException.ThrowIfNotEqual(firstMoments.Length, parameters.Length, nameof(firstMoments));
        ArgumentOutOfRangeException.ThrowIfNotEqual(secondMoments.Length, parameters.Length, nameof(secondMoments));
        Operation operation = new(parameters, gradients, firstMoments, secondMoments, in step);
        ElementwiseLoop<Operation>.Run(ref operation, workers);
    }

    /// <summary>
    /// Updates only the touched rows of a table, after applying what each missed while idle: moments decay by βⁿ and weights by
    /// (1 − LearningRate · WeightDecay)ⁿ for n idle steps.
    /// </summary>
    /// <param name="rows">Touched rows, each once.</param>
    /// <param name="gradients">Gradient of each touched row [rows × dimension].</param>
    /// <param name="idleSteps">Steps since the row's last update, excluding this one [rows], 0 and up.</param>
    /// <param name="dimension">Floats per row.</param>
    /// <param name="table">In and out: parameters [capacity × dimension].</param>
    /// <param name="firstMoments">In and out: [capacity × dimension].</param>
    /// <param name="secondMoments">In and out: [capacity × dimension].</param>
    /// <param name="step">Constants of the step.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void UpdateRows(
        ReadOnlySpan<int> rows,
        ReadOnlySpan<float> gradients,
        ReadOnlySpan<int> idleSteps,
        int dimension,
        Span<float> table,
        Span<float> firstMoments,
        Span<float> secondMoments,
        in AdamWStep step,
        Workers? workers = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(gradients.Length, rows.Length * dimension, nameof(gradients));
        ArgumentOutOfRangeException.ThrowIfNotEqual(idleSteps.Length, rows.Length, nameof(idleSteps));
        RowJob job = new()
        {
            Rows = rows,
            Gradients = gradients,
            IdleSteps = idleSteps,
            Dimension = dimension,
            Table = table,
            First = firstMoments,
            Second = secondMoments,
            Step = step,
        };
        Workers.RunOn(
            workers,
            (rows.Length + 127) / 128,
            ref job,
            static (ref RowJob job, int part, int _) =>
            {
                int end = Math.Min(job.Rows.Length, (part + 1) * 128);
                for (int i = part * 128; i < end; i++)
                {
                    UpdateRow(ref job, i);
                }
            }
        );
    }

    private static void UpdateRow(ref RowJob job, int i)
    {
        int d = job.Dimension,
            begin = job.Rows[i] * d,
            idle = job.IdleSteps[i];
        Span<float> row = job.Table.Slice(begin, d),
            first = job.First.Slice(begin, d),
            second = job.Second.Slice(begin, d);
        if (idle > 0)
        {
            Scale(row, MathF.Pow(1f - job.Step.LearningRate * job.Step.WeightDecay, idle));
            Scale(first, MathF.Pow(job.Step.Beta1, idle));
            Scale(second, MathF.Pow(job.Step.Beta2, idle));
        }

        Operation operation = new(row, job.Gradients.Slice(i * d, d), first, second, in job.Step);
        ElementwiseLoop<Operation>.Range(ref operation, 0, d);
    }

    private static void Scale(Span<float> values, float factor)
    {
        if (factor != 1f)
        {
            TensorPrimitives.Multiply(values, factor, values);
        }
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

    private readonly ref struct Operation : IElementwise<Operation>
    {
        private readonly ref float _parameters;
        private readonly ref readonly float _gradients;
        private readonly ref float _first;
        private readonly ref float _second;
        private readonly AdamWStep _step;
        private readonly float _keep;
        private readonly float _rate;
        private readonly float _root;

        public Operation(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> first, Span<float> second, in AdamWStep step)
        {
            _parameters = ref MemoryMarshal.GetReference(parameters);
            _gradients = ref MemoryMarshal.GetReference(gradients);
            _first = ref MemoryMarshal.GetReference(first);
            _second = ref MemoryMarshal.GetReference(second);
            Length = parameters.Length;
            _step = step;
            _keep = 1f - step.LearningRate * step.WeightDecay;
            _rate = step.LearningRate / step.Correction1;
            _root = 1f / MathF.Sqrt(step.Correction2);
        }

        public int Length { get; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<T>(nint at)
            where T : struct, ISimd<T>
        {
            T g = T.Load(in _gradients, at) * T.Create(_step.GradientScale);
            T m = T.MultiplyAdd(T.Create(_step.Beta1), T.Load(ref _first, at), T.Create(1f - _step.Beta1) * g);
            T v = T.MultiplyAdd(T.Create(_step.Beta2), T.Load(ref _second, at), T.Create(1f - _step.Beta2) * g * g);
            m.Store(ref _first, at);
            v.Store(ref _second, at);
            T move = T.Create(_rate) * m / T.MultiplyAdd(T.Sqrt(v), T.Create(_root), T.Create(_step.Epsilon));
            (T.Create(_keep) * T.Load(ref _parameters, at) - move).Store(ref _parameters, at);
        }
    }
}
