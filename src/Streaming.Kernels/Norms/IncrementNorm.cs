using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Kernels;

/// <summary>
/// Layer normalisation of each increment [w_{k−1}, w_k) on its own, with gain and bias: y = (x − mean) / √(variance + ε) ⊙
/// gain + bias. A norm over the whole width would let the outer increments change the inner ones.
/// </summary>
/// <remarks>Holds scratch: one thread calls an instance at a time. Results do not depend on the number of threads.</remarks>
public sealed class IncrementNorm
{
    // Fixed, since the parts are what the gradients of gain and bias are summed by.
    private const int Parts = 16;
    private const int RowBlock = 16;
    private readonly Workers? _workers;
    private readonly int[] _widths;
    private readonly float[] _partialGradients;
    private readonly float _epsilon;

    /// <summary>Creates a norm.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="epsilon">ε, above 0.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public IncrementNorm(ReadOnlySpan<int> widths, float epsilon = 1e-5f, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        _widths = NestedWidths.Checked(widths);
        _epsilon = epsilon;
        _workers = workers;
        _partialGradients = new float[Parts * 2 * Dimension];
    }

    /// <summary>Gets D.</summary>
    public int Dimension => _widths[^1];

    /// <summary>Gets the floats of statistics a row has: mean and 1/σ of each increment.</summary>
    public int StatisticsPerRow => 2 * _widths.Length;

    /// <summary>Normalises rows.</summary>
    /// <param name="input">x [n × D].</param>
    /// <param name="gain">Gain [D].</param>
    /// <param name="bias">Bias [D].</param>
    /// <param name="output">Out: y [n × D]. May be <paramref name="input"/> itself when no backward pass follows.</param>
    /// <param name="statistics">Out: [n × <see cref="StatisticsPerRow"/>], for the backward pass.</param>
    public void Forward(ReadOnlySpan<float> input, ReadOnlySpan<float> gain, ReadOnlySpan<float> bias, Span<float> output, Span<float> statistics)
    {
        int rows = Rows(input.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gain.Length, Dimension, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, Dimension, nameof(bias));
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, input.Length, nameof(output));
        ArgumentOutOfRangeException.ThrowIfLessThan(statistics.Length, rows * StatisticsPerRow, nameof(statistics));
        ForwardJob job = new()
        {
            Input = input,
            Gain = gain,
            Bias = bias,
            Output = output,
            Statistics = statistics,
            Widths = _widths,
            Epsilon = _epsilon,
            Rows = rows,
        };
        Workers.RunOn(_workers, Parts, ref job, static (ref ForwardJob job, int part, int _) =>
        {
            int end = Workers.Begin(job.Rows, Parts, part + 1);
            for (int row = Workers.Begin(job.Rows, Parts, part); row < end; row += RowBlock)
            {
                ForwardRows(ref job, row, Math.Min(end, row + RowBlock));
            }
        });
    }

    /// <summary>Gradients of a forward pass.</summary>
    /// <param name="outputGradients">∂L/∂y [n × D].</param>
    /// <param name="input">x [n × D], of the forward pass.</param>
    /// <param name="gain">Gain [D].</param>
    /// <param name="statistics">Statistics of the forward pass.</param>
    /// <param name="inputGradients">Out: ∂L/∂x [n × D]; added to when <paramref name="accumulate"/>.</param>
    /// <param name="gainGradient">In and out: ∂L/∂gain [D], added to.</param>
    /// <param name="biasGradient">In and out: ∂L/∂bias [D], added to.</param>
    /// <param name="accumulate">Whether the input gradients are added to what is there (a residual branch) or overwrite it.</param>
    public void Backward(ReadOnlySpan<float> outputGradients, ReadOnlySpan<float> input, ReadOnlySpan<float> gain, ReadOnlySpan<float> statistics, Span<float> inputGradients, Span<float> gainGradient, Span<float> biasGradient, bool accumulate = false)
    {
        int rows = Rows(input.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gain.Length, Dimension, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNotEqual(gainGradient.Length, Dimension, nameof(gainGradient));
        ArgumentOutOfRangeException.ThrowIfNotEqual(biasGradient.Length, Dimension, nameof(biasGradient));
        ArgumentOutOfRangeException.ThrowIfLessThan(outputGradients.Length, input.Length, nameof(outputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputGradients.Length, input.Length, nameof(inputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(statistics.Length, rows * StatisticsPerRow, nameof(statistics));
        BackwardJob job = new()
        {
            OutputGradients = outputGradients,
            Input = input,
            Gain = gain,
            Statistics = statistics,
            InputGradients = inputGradients,
            PartialGradients = _partialGradients,
            Widths = _widths,
            Rows = rows,
            Accumulate = accumulate,
        };
        _partialGradients.AsSpan().Clear();
        Workers.RunOn(_workers, Parts, ref job, static (ref BackwardJob job, int part, int _) =>
        {
            int end = Workers.Begin(job.Rows, Parts, part + 1);
            for (int row = Workers.Begin(job.Rows, Parts, part); row < end; row += RowBlock)
            {
                BackwardRows(ref job, row, Math.Min(end, row + RowBlock), part);
            }
        });
        for (int part = 0; part < Parts; part++)
        {
            ReadOnlySpan<float> partial = _partialGradients.AsSpan(part * 2 * Dimension, 2 * Dimension);
            for (int i = 0; i < Dimension; i++)
            {
                gainGradient[i] += partial[i];
                biasGradient[i] += partial[Dimension + i];
            }
        }
    }

    /// <summary>A block of rows, increment by increment: the vector width is chosen once an increment, and the block stays in the cache.</summary>
    private static void ForwardRows(ref ForwardJob job, int first, int end)
    {
        int begin = 0;
        for (int k = 0; k < job.Widths.Length; k++)
        {
            int length = job.Widths[k] - begin;
            switch (SimdLevel.For(length))
            {
                case 16:
                    ForwardIncrement<Simd512>(ref job, first, end, k, begin, length);
                    break;
                case 8:
                    ForwardIncrement<Simd256>(ref job, first, end, k, begin, length);
                    break;
                case 4:
                    ForwardIncrement<Simd128>(ref job, first, end, k, begin, length);
                    break;
                default:
                    ForwardIncrement<SimdScalar>(ref job, first, end, k, begin, length);
                    break;
            }

            begin = job.Widths[k];
        }
    }

    private static void ForwardIncrement<T>(ref ForwardJob job, int first, int end, int k, int begin, int length)
        where T : struct, ISimd<T>
    {
        int dimension = job.Gain.Length, perRow = 2 * job.Widths.Length;
        nint at = (nint)first * dimension + begin;
        NormKernel<T>.Forward(
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Input), at),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Gain), begin),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Bias), begin),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Output), at),
            ref job.Statistics[first * perRow + 2 * k],
            new NormRows(end - first, dimension, perRow, length),
            job.Epsilon);
    }

    private static void BackwardRows(ref BackwardJob job, int first, int end, int part)
    {
        int begin = 0;
        for (int k = 0; k < job.Widths.Length; k++)
        {
            int length = job.Widths[k] - begin;
            switch (SimdLevel.For(length))
            {
                case 16:
                    BackwardIncrement<Simd512>(ref job, first, end, part, k, begin, length);
                    break;
                case 8:
                    BackwardIncrement<Simd256>(ref job, first, end, part, k, begin, length);
                    break;
                case 4:
                    BackwardIncrement<Simd128>(ref job, first, end, part, k, begin, length);
                    break;
                default:
                    BackwardIncrement<SimdScalar>(ref job, first, end, part, k, begin, length);
                    break;
            }

            begin = job.Widths[k];
        }
    }

    private static void BackwardIncrement<T>(ref BackwardJob job, int first, int end, int part, int k, int begin, int length)
        where T : struct, ISimd<T>
    {
        int dimension = job.Gain.Length, perRow = 2 * job.Widths.Length;
        nint at = (nint)first * dimension + begin;
        ref float gainGradient = ref job.PartialGradients[part * 2 * dimension + begin];
        NormKernel<T>.Backward(
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Input), at),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.OutputGradients), at),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Gain), begin),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.Statistics), first * perRow + 2 * k),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(job.InputGradients), at),
            ref gainGradient,
            ref Unsafe.Add(ref gainGradient, dimension),
            new NormRows(end - first, dimension, perRow, length),
            job.Accumulate);
    }

    private int Rows(int length)
    {
        if (length % Dimension != 0)
        {
            throw new ArgumentException($"input has {length} values, not a multiple of D = {Dimension}.", nameof(length));
        }

        return length / Dimension;
    }

    private ref struct ForwardJob
    {
        public ReadOnlySpan<float> Input;
        public ReadOnlySpan<float> Gain;
        public ReadOnlySpan<float> Bias;
        public Span<float> Output;
        public Span<float> Statistics;
        public ReadOnlySpan<int> Widths;
        public float Epsilon;
        public int Rows;
    }

    private ref struct BackwardJob
    {
        public ReadOnlySpan<float> OutputGradients;
        public ReadOnlySpan<float> Input;
        public ReadOnlySpan<float> Gain;
        public ReadOnlySpan<float> Statistics;
        public Span<float> InputGradients;
        public Span<float> PartialGradients;
        public ReadOnlySpan<int> Widths;
        public int Rows;
        public bool Accumulate;
    }
}
