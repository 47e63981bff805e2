namespace Streaming.Kernels;

/// <summary>
/// Layer normalisation of each increment [w_{k−1}, w_k) on its own, with gain and bias: y = (x − mean) / √(variance + ε) ⊙
/// gain + bias. A norm over the whole width would let the outer increments change the inner ones.
/// </summary>
/// <remarks>Holds scratch: one thread calls an instance at a time. Results do not depend on the number of threads.</remarks>
public sealed class IncrementNorm
{
    private const int Parts = 16;
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
            for (int row = Workers.Begin(job.Rows, Parts, part); row < end; row++)
            {
                ForwardRow(ref job, row);
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
            for (int row = Workers.Begin(job.Rows, Parts, part); row < end; row++)
            {
                BackwardRow(ref job, row, part);
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

    private static void ForwardRow(ref ForwardJob job, int row)
    {
        int dimension = job.Gain.Length;
        int begin = 0;
        for (int k = 0; k < job.Widths.Length; k++)
        {
            int end = job.Widths[k];
            ReadOnlySpan<float> x = job.Input[(row * dimension + begin)..(row * dimension + end)];
            Span<float> y = job.Output[(row * dimension + begin)..(row * dimension + end)];
            float sum = 0;
            foreach (float value in x)
            {
                sum += value;
            }

            float mean = sum / x.Length;
            float squares = 0;
            foreach (float value in x)
            {
                squares += (value - mean) * (value - mean);
            }

            float scale = 1f / MathF.Sqrt(squares / x.Length + job.Epsilon);
            for (int i = 0; i < x.Length; i++)
            {
                y[i] = (x[i] - mean) * scale * job.Gain[begin + i] + job.Bias[begin + i];
            }

            int s = 2 * (row * job.Widths.Length + k);
            job.Statistics[s] = mean;
            job.Statistics[s + 1] = scale;
            begin = end;
        }
    }

    private static void BackwardRow(ref BackwardJob job, int row, int part)
    {
        int dimension = job.Gain.Length;
        Span<float> gainGradient = job.PartialGradients.Slice(part * 2 * dimension, dimension);
        Span<float> biasGradient = job.PartialGradients.Slice(part * 2 * dimension + dimension, dimension);
        int begin = 0;
        for (int k = 0; k < job.Widths.Length; k++)
        {
            int end = job.Widths[k];
            int length = end - begin;
            ReadOnlySpan<float> x = job.Input.Slice(row * dimension + begin, length);
            ReadOnlySpan<float> dy = job.OutputGradients.Slice(row * dimension + begin, length);
            Span<float> dx = job.InputGradients.Slice(row * dimension + begin, length);
            float mean = job.Statistics[2 * (row * job.Widths.Length + k)];
            float scale = job.Statistics[2 * (row * job.Widths.Length + k) + 1];
            float sum = 0, dot = 0;
            for (int i = 0; i < length; i++)
            {
                float normalised = (x[i] - mean) * scale;
                float g = dy[i] * job.Gain[begin + i];
                sum += g;
                dot += g * normalised;
                gainGradient[begin + i] += dy[i] * normalised;
                biasGradient[begin + i] += dy[i];
            }

            float meanGradient = sum / length;
            float meanDot = dot / length;
            for (int i = 0; i < length; i++)
            {
                float normalised = (x[i] - mean) * scale;
                float gradient = scale * (dy[i] * job.Gain[begin + i] - meanGradient - normalised * meanDot);
                dx[i] = job.Accumulate ? dx[i] + gradient : gradient;
            }

            begin = end;
        }
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
