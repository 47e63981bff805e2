using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Recurrence;

/// <summary>
/// The scan of the linear recurrent unit [Orvieto et al. 2023], forward and backward: s_t = λ ⊙ s_{t−1} + x_t per sequence,
/// with s = 0 before the first step and λ complex diagonal.
/// </summary>
/// <remarks>
/// A step is a row of 2H floats: H real parts, then H imaginary parts. Sequences are concatenated without padding; sequence s
/// is the steps Offsets[s] … Offsets[s + 1] − 1 and may be empty. The gradient of λ is summed over a fixed number of parts, so
/// it does not depend on the number of threads. Has scratch memory: one thread at a time may use an instance.
/// </remarks>
public sealed class LruScan
{
    // Fixed, because the gradient of λ is summed by part; enough to balance sequences of different lengths.
    private const int Parts = 16;
    private readonly Workers? _workers;
    private readonly float[] _partialGradients;

    /// <summary>Creates a scan.</summary>
    /// <param name="channels">H, complex channels, 1 and up.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public LruScan(int channels, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        Channels = channels;
        _workers = workers;
        _partialGradients = new float[Parts * 2 * channels];
    }

    /// <summary>Gets H, the number of complex channels.</summary>
    public int Channels { get; }

    /// <summary>Computes all states.</summary>
    /// <param name="inputs">x [steps × 2H].</param>
    /// <param name="lambda">λ [2H]: real parts, then imaginary parts.</param>
    /// <param name="offsets">First step of each sequence, then the end: count + 1 entries, non-decreasing.</param>
    /// <param name="states">Out: s [steps × 2H]. May be <paramref name="inputs"/> itself.</param>
    /// <exception cref="ArgumentException">A span is too short, or the offsets decrease.</exception>
    public void Forward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> lambda, ReadOnlySpan<int> offsets, Span<float> states)
    {
        Check(inputs.Length, lambda.Length, offsets, states.Length);
        LruJob job = new()
        {
            Inputs = inputs,
            Lambda = lambda,
            Offsets = offsets,
            Outputs = states,
            Channels = Channels,
        };
        Workers.RunOn(
            _workers,
            Parts,
            ref job,
            static (ref LruJob job, int part, int _) =>
            {
                (int first, int end) = SequencesOf(job.Offsets, part);
                for (int sequence = first; sequence < end; sequence++)
                {
                    ForwardSequence(ref job, job.Offsets[sequence], job.Offsets[sequence + 1]);
                }
            }
        );
    }

    /// <summary>Computes the gradients with respect to the inputs and λ.</summary>
    /// <param name="stateGradients">∂L/∂s [steps × 2H] of each state as an output.</param>
    /// <param name="states">s [steps × 2H], of the forward pass.</param>
    /// <param name="lambda">λ [2H].</param>
    /// <param name="offsets">As in the forward pass.</param>
    /// <param name="inputGradients">Out: ∂L/∂x [steps × 2H]. May be <paramref name="stateGradients"/> itself.</param>
    /// <param name="lambdaGradient">In and out: ∂L/∂λ [2H] with respect to real and imaginary parts, added to.</param>
    /// <exception cref="ArgumentException">A span is too short, or the offsets decrease.</exception>
    public void Backward(
        ReadOnlySpan<float> stateGradients,
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> lambda,
        ReadOnlySpan<int> offsets,
        Span<float> inputGradients,
        Span<float> lambdaGradient
    )
    {
        Check(stateGradients.Length, lambda.Length, offsets, inputGradients.Length);
        Check(states.Length, lambda.Length, offsets, inputGradients.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(lambdaGradient.Length, 2 * Channels, nameof(lambdaGradient));
        LruJob job = new()
        {
            Inputs = stateGradients,
            States = states,
            Lambda = lambda,
            Offsets = offsets,
            Outputs = inputGradients,
            PartialGradients = _partialGradients,
            Channels = Channels,
        };
        _partialGradients.AsSpan().Clear();
        Workers.RunOn(
            _workers,
            Parts,
            ref job,
            static (ref LruJob job, int part, int _) =>
            {
                Span<float> partial = job.PartialGradients.Slice(part * 2 * job.Channels, 2 * job.Channels);
                (int first, int end) = SequencesOf(job.Offsets, part);
                for (int sequence = first; sequence < end; sequence++)
                {
                    BackwardSequence(ref job, partial, job.Offsets[sequence], job.Offsets[sequence + 1]);
                }
            }
        );
        for (int part = 0; part < Parts; part++)
        {
            for (int i = 0; i < lambdaGradient.Length; i++)
            {
                lambdaGradient[i] += _partialGradients[part * lambdaGradient.Length + i];
            }
        }
    }

    private static (int First, int End) SequencesOf(ReadOnlySpan<int> offsets, int part)
    {
        int count = offsets.Length - 1;
        return (Workers.Begin(count, Parts, part), Workers.Begin(count, Parts, part + 1));
    }

    private static void ForwardSequence(ref LruJob job, int first, int end)
    {
        int size = 2 * job.Channels;
        if (first == end)
        {
            return;
        }

        job.Inputs.Slice(first * size, size).CopyTo(job.Outputs.Slice(first * size, size));
        ref float lambda = ref MemoryMarshal.GetReference(job.Lambda);
        for (int step = first + 1; step < end; step++)
        {
            ref float x = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Inputs), (nint)step * size);
            ref float before = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Outputs), (nint)(step - 1) * size);
            ref float state = ref Unsafe.Add(ref before, size);
            nint channel = 0;
            if (Simd512.IsSupported)
            {
                channel = LruKernel<Simd512>.Forward(ref lambda, ref before, ref x, ref state, channel, job.Channels);
            }

            if (Simd256.IsSupported)
            {
                channel = LruKernel<Simd256>.Forward(ref lambda, ref before, ref x, ref state, channel, job.Channels);
            }

            if (Simd128.IsSupported)
            {
                channel = LruKernel<Simd128>.Forward(ref lambda, ref before, ref x, ref state, channel, job.Channels);
            }

            LruKernel<SimdScalar>.Forward(ref lambda, ref before, ref x, ref state, channel, job.Channels);
        }
    }

    private static void BackwardSequence(ref LruJob job, Span<float> partial, int first, int end)
    {
        int size = 2 * job.Channels;
        if (first == end)
        {
            return;
        }

        int last = (end - 1) * size;
        job.Inputs.Slice(last, size).CopyTo(job.Outputs.Slice(last, size));
        ref float lambda = ref MemoryMarshal.GetReference(job.Lambda);
        ref float gradient = ref MemoryMarshal.GetReference(partial);
        for (int step = end - 1; step > first; step--)
        {
            nint at = (nint)(step - 1) * size;
            ref float result = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Outputs), at);
            ref float g = ref Unsafe.Add(ref result, size);
            ref float before = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.States), at);
            ref float direct = ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Inputs), at);
            nint channel = 0;
            if (Simd512.IsSupported)
            {
                channel = LruKernel<Simd512>.Backward(
                    ref lambda,
                    ref g,
                    ref before,
                    ref direct,
                    ref result,
                    ref gradient,
                    channel,
                    job.Channels
                );
            }

            if (Simd256.IsSupported)
            {
                channel = LruKernel<Simd256>.Backward(
                    ref lambda,
                    ref g,
                    ref before,
                    ref direct,
                    ref result,
                    ref gradient,
                    channel,
                    job.Channels
                );
            }

            if (Simd128.IsSupported)
            {
                channel = LruKernel<Simd128>.Backward(
                    ref lambda,
                    ref g,
                    ref before,
                    ref direct,
                    ref result,
                    ref gradient,
                    channel,
                    job.Channels
                );
            }

            LruKernel<SimdScalar>.Backward(ref lambda, ref g, ref before, ref direct, ref result, ref gradient, channel, job.Channels);
        }
    }

    private void Check(int inputs, int lambda, ReadOnlySpan<int> offsets, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(lambda, 2 * Channels, nameof(lambda));
        ArgumentOutOfRangeException.ThrowIfLessThan(offsets.Length, 1, nameof(offsets));
        int before = 0;
        foreach (int offset in offsets)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(offset, before, nameof(offsets));
            before = offset;
        }

        long needed = (long)before * 2 * Channels;
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, needed, nameof(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, needed, nameof(outputs));
    }

    private ref struct LruJob
    {
        public ReadOnlySpan<float> Inputs;
        public ReadOnlySpan<float> States;
        public ReadOnlySpan<float> Lambda;
        public ReadOnlySpan<int> Offsets;
        public Span<float> Outputs;
        public Span<float> PartialGradients;
        public int Channels;
    }
}
