namespace Streaming.Kernels;

/// <summary>
/// The linear recurrent unit's scan [Orvieto et al. 2023], forward and backward: s_t = λ ⊙ s_{t−1} + x_t per sequence, with
/// s before the first step 0 and λ complex diagonal.
/// </summary>
/// <remarks>
/// A step is a row of 2H floats: H real parts, then H imaginary parts. Sequences lie end to end without padding; sequence
/// s is the steps Offsets[s] … Offsets[s + 1] − 1 and may be empty. The gradient of λ is summed in a fixed number of parts,
/// so that it does not depend on the number of threads. Holds scratch: one thread calls an instance at a time.
/// </remarks>
public sealed class LruScan
{
    private const int Parts = 16;
    private readonly Workers? _workers;
    private readonly float[] _partialGradients;

    /// <summary>Creates a scan.</summary>
    /// <param name="channels">H, complex channels, 1 and up.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
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
    /// <param name="offsets">First step of each sequence, and after the last one the end: count + 1 entries, not decreasing.</param>
    /// <param name="states">Out: s [steps × 2H]. May be <paramref name="inputs"/> itself.</param>
    public void Forward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> lambda, ReadOnlySpan<int> offsets, Span<float> states)
    {
        Check(inputs.Length, lambda.Length, offsets, states.Length);
        ForwardJob job = new()
        {
            Inputs = inputs,
            Lambda = lambda,
            Offsets = offsets,
            States = states,
            Channels = Channels,
        };
        Workers.RunOn(_workers, Parts, ref job, static (ref ForwardJob job, int part, int _) =>
        {
            (int first, int end) = SequencesOf(job.Offsets, part);
            for (int sequence = first; sequence < end; sequence++)
            {
                ForwardSequence(ref job, job.Offsets[sequence], job.Offsets[sequence + 1]);
            }
        });
    }

    /// <summary>Computes the gradients by the inputs and by λ.</summary>
    /// <param name="stateGradients">∂L/∂s [steps × 2H] of each state as an output.</param>
    /// <param name="states">s [steps × 2H], of the forward pass.</param>
    /// <param name="lambda">λ [2H].</param>
    /// <param name="offsets">As in the forward pass.</param>
    /// <param name="inputGradients">Out: ∂L/∂x [steps × 2H]. May be <paramref name="stateGradients"/> itself.</param>
    /// <param name="lambdaGradient">In and out: ∂L/∂λ [2H] by real and imaginary parts, added to.</param>
    public void Backward(ReadOnlySpan<float> stateGradients, ReadOnlySpan<float> states, ReadOnlySpan<float> lambda, ReadOnlySpan<int> offsets, Span<float> inputGradients, Span<float> lambdaGradient)
    {
        Check(stateGradients.Length, lambda.Length, offsets, inputGradients.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(states.Length, inputGradients.Length, nameof(states));
        ArgumentOutOfRangeException.ThrowIfNotEqual(lambdaGradient.Length, 2 * Channels, nameof(lambdaGradient));
        BackwardJob job = new()
        {
            StateGradients = stateGradients,
            States = states,
            Lambda = lambda,
            Offsets = offsets,
            InputGradients = inputGradients,
            PartialGradients = _partialGradients,
            Channels = Channels,
        };
        _partialGradients.AsSpan().Clear();
        Workers.RunOn(_workers, Parts, ref job, static (ref BackwardJob job, int part, int _) =>
        {
            Span<float> partial = job.PartialGradients.Slice(part * 2 * job.Channels, 2 * job.Channels);
            (int first, int end) = SequencesOf(job.Offsets, part);
            for (int sequence = first; sequence < end; sequence++)
            {
                BackwardSequence(ref job, partial, job.Offsets[sequence], job.Offsets[sequence + 1]);
            }
        });
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

    private static void ForwardSequence(ref ForwardJob job, int first, int end)
    {
        int h = job.Channels;
        if (first == end)
        {
            return;
        }

        job.Inputs.Slice(first * 2 * h, 2 * h).CopyTo(job.States.Slice(first * 2 * h, 2 * h));
        for (int step = first + 1; step < end; step++)
        {
            ReadOnlySpan<float> x = job.Inputs.Slice(step * 2 * h, 2 * h);
            ReadOnlySpan<float> before = job.States.Slice((step - 1) * 2 * h, 2 * h);
            Span<float> state = job.States.Slice(step * 2 * h, 2 * h);
            for (int i = 0; i < h; i++)
            {
                float re = job.Lambda[i], im = job.Lambda[h + i];
                float nextRe = x[i] + re * before[i] - im * before[h + i];
                float nextIm = x[h + i] + re * before[h + i] + im * before[i];
                state[i] = nextRe;
                state[h + i] = nextIm;
            }
        }
    }

    private static void BackwardSequence(ref BackwardJob job, Span<float> partial, int first, int end)
    {
        int h = job.Channels;
        if (first == end)
        {
            return;
        }

        int last = (end - 1) * 2 * h;
        job.StateGradients.Slice(last, 2 * h).CopyTo(job.InputGradients.Slice(last, 2 * h));
        for (int step = end - 1; step > first; step--)
        {
            ReadOnlySpan<float> g = job.InputGradients.Slice(step * 2 * h, 2 * h);
            ReadOnlySpan<float> before = job.States.Slice((step - 1) * 2 * h, 2 * h);
            ReadOnlySpan<float> direct = job.StateGradients.Slice((step - 1) * 2 * h, 2 * h);
            Span<float> result = job.InputGradients.Slice((step - 1) * 2 * h, 2 * h);
            for (int i = 0; i < h; i++)
            {
                float re = job.Lambda[i], im = job.Lambda[h + i];
                partial[i] += g[i] * before[i] + g[h + i] * before[h + i];
                partial[h + i] += g[h + i] * before[i] - g[i] * before[h + i];
                float nextRe = direct[i] + re * g[i] + im * g[h + i];
                float nextIm = direct[h + i] + re * g[h + i] - im * g[i];
                result[i] = nextRe;
                result[h + i] = nextIm;
            }
        }
    }

    private void Check(int inputs, int lambda, ReadOnlySpan<int> offsets, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(lambda, 2 * Channels, nameof(lambda));
        ArgumentOutOfRangeException.ThrowIfLessThan(offsets.Length, 1, nameof(offsets));
        long needed = (long)offsets[^1] * 2 * Channels;
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, needed, nameof(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, needed, nameof(outputs));
    }

    private ref struct ForwardJob
    {
        public ReadOnlySpan<float> Inputs;
        public ReadOnlySpan<float> Lambda;
        public ReadOnlySpan<int> Offsets;
        public Span<float> States;
        public int Channels;
    }

    private ref struct BackwardJob
    {
        public ReadOnlySpan<float> StateGradients;
        public ReadOnlySpan<float> States;
        public ReadOnlySpan<float> Lambda;
        public ReadOnlySpan<int> Offsets;
        public Span<float> InputGradients;
        public Span<float> PartialGradients;
        public int Channels;
    }
}
