using System.Runtime.InteropServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Widths;

namespace Streaming.Kernels.Norms;

/// <summary>
/// Layer normalisation of each increment [w_{k−1}, w_k) separately, with gain and bias: y = (x − mean) / √(variance + ε) ⊙
/// gain + bias. A norm over the whole width would let outer increments change inner ones.
/// </summary>
/// <remarks>Has scratch memory: one thread at a time may use an instance. Results do not depend on the number of threads.</remarks>
public sealed class IncrementNorm
{
    // The number of parts depends on the number of rows alone, because the gradients of gain and bias are summed by part; each
    // part has its own partial sums, so it must have a minimum of rows.
    private const int MostParts = 16;
    private const int LeastRows = 16;
    private readonly Workers? _workers;
    private readonly NormIncrement[] _increments;
    private readonly float[] _gainGradients;
    private readonly float[] _biasGradients;
    private readonly float _epsilon;

    /// <summary>Creates a norm.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="epsilon">ε, above 0.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public IncrementNorm(ReadOnlySpan<int> widths, float epsilon = 1e-5f, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        _increments = NormIncrement.All(NestedWidths.Checked(widths));
        Dimension = widths[^1];
        _epsilon = epsilon;
        _workers = workers;
        _gainGradients = new float[MostParts * Dimension];
        _biasGradients = new float[MostParts * Dimension];
    }

    /// <summary>Gets D.</summary>
    public int Dimension { get; }

    /// <summary>Gets the number of statistics per row: mean and 1/σ of each increment.</summary>
    public int StatisticsPerRow => 2 * _increments.Length;

    /// <summary>Normalises rows.</summary>
    /// <param name="input">x [n × D].</param>
    /// <param name="gain">Gain [D].</param>
    /// <param name="bias">Bias [D].</param>
    /// <param name="output">Out: y [n × D]. May be <paramref name="input"/> itself when no backward pass follows.</param>
    /// <param name="statistics">Out: [n × <see cref="StatisticsPerRow"/>], for the backward pass.</param>
    public void Forward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> gain,
        ReadOnlySpan<float> bias,
        Span<float> output,
        Span<float> statistics
    )
    {
        int rows = Rows(input.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gain.Length, Dimension, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, Dimension, nameof(bias));
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, input.Length, nameof(output));
        ArgumentOutOfRangeException.ThrowIfLessThan(statistics.Length, rows * StatisticsPerRow, nameof(statistics));
        NormForward job = new()
        {
            Input = ref MemoryMarshal.GetReference(input),
            Gain = ref MemoryMarshal.GetReference(gain),
            Bias = ref MemoryMarshal.GetReference(bias),
            Output = ref MemoryMarshal.GetReference(output),
            Statistics = ref MemoryMarshal.GetReference(statistics),
            Increments = _increments,
            Epsilon = _epsilon,
            Rows = rows,
            Dimension = Dimension,
            StatisticsPerRow = StatisticsPerRow,
        };
        Workers.RunOn(
            _workers,
            Parts(rows),
            ref job,
            static (ref NormForward job, int part, int _) => job.Run(Begin(job.Rows, part), Begin(job.Rows, part + 1))
        );
    }

    /// <summary>Computes the gradients of a forward pass.</summary>
    /// <param name="outputGradients">∂L/∂y [n × D].</param>
    /// <param name="input">x [n × D], of the forward pass.</param>
    /// <param name="gain">Gain [D].</param>
    /// <param name="statistics">Statistics of the forward pass.</param>
    /// <param name="inputGradients">Out: ∂L/∂x [n × D]; added to when <paramref name="accumulate"/>.</param>
    /// <param name="gainGradient">In and out: ∂L/∂gain [D], added to.</param>
    /// <param name="biasGradient">In and out: ∂L/∂bias [D], added to.</param>
    /// <param name="accumulate">Whether to add the input gradients to the existing values (a residual branch) or overwrite them.</param>
    public void Backward(
        ReadOnlySpan<float> outputGradients,
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> gain,
        ReadOnlySpan<float> statistics,
        Span<float> inputGradients,
        Span<float> gainGradient,
        Span<float> biasGradient,
        bool accumulate = false
    )
    {
        int rows = Rows(input.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gain.Length, Dimension, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNotEqual(gainGradient.Length, Dimension, nameof(gainGradient));
        ArgumentOutOfRangeException.ThrowIfNotEqual(biasGradient.Length, Dimension, nameof(biasGradient));
        ArgumentOutOfRangeException.ThrowIfLessThan(outputGradients.Length, input.Length, nameof(outputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputGradients.Length, input.Length, nameof(inputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(statistics.Length, rows * StatisticsPerRow, nameof(statistics));
        int sums = Parts(rows) * Dimension;
        _gainGradients.AsSpan(0, sums).Clear();
        _biasGradients.AsSpan(0, sums).Clear();
        NormBackward job = new()
        {
            OutputGradients = ref MemoryMarshal.GetReference(outputGradients),
            Input = ref MemoryMarshal.GetReference(input),
            Gain = ref MemoryMarshal.GetReference(gain),
            Statistics = ref MemoryMarshal.GetReference(statistics),
            InputGradients = ref MemoryMarshal.GetReference(inputGradients),
            GainGradients = ref _gainGradients[0],
            BiasGradients = ref _biasGradients[0],
            Increments = _increments,
            Rows = rows,
            Dimension = Dimension,
            StatisticsPerRow = StatisticsPerRow,
            Accumulate = accumulate,
        };
        Workers.RunOn(
            _workers,
            Parts(rows),
            ref job,
            static (ref NormBackward job, int part, int _) => job.Run(Begin(job.Rows, part), Begin(job.Rows, part + 1), part)
        );
        ColumnSums.Add(_gainGradients.AsSpan(0, sums), gainGradient);
        ColumnSums.Add(_biasGradients.AsSpan(0, sums), biasGradient);
    }

    private static int Parts(int rows) => Math.Min((rows + LeastRows - 1) / LeastRows, MostParts);

    private static int Begin(int rows, int part) => Workers.Begin(rows, Parts(rows), part, LeastRows);

    private int Rows(int length)
    {
        if (length % Dimension != 0)
        {
            throw new ArgumentException($"input has {length} values, not a multiple of D = {Dimension}.", nameof(length));
        }

        return length / Dimension;
    }
}
