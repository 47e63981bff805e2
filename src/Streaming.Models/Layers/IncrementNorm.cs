using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>
/// A LayerNorm per increment [fMRLRec]: a norm over the whole width would let later columns affect earlier ones. Holds the
/// parameters and statistics of the kernel.
/// </summary>
internal sealed class IncrementNorm
{
    private readonly ParameterSet _set;
    private readonly Parameter _gain;
    private readonly Parameter _bias;
    private readonly Kernels.Norms.IncrementNorm _kernel;
    private readonly int _d;
    private readonly int _perRow;
    private float[] _statistics = [];

    public IncrementNorm(ParameterSet set, string name, Increments increments)
    {
        _set = set;
        _d = increments.Dimension;
        _gain = set.Add($"{name}.gain", decays: false, _d);
        _bias = set.Add($"{name}.bias", decays: false, _d);
        _kernel = new Kernels.Norms.IncrementNorm(increments.Ends);
        _perRow = _kernel.StatisticsPerRow;
    }

    /// <summary>Gain 1, bias 0.</summary>
    public void Initialize()
    {
        _set.Value(_gain).Fill(1);
        _set.Value(_bias).Clear();
    }

    /// <summary>Reserves space for the statistics of a batch.</summary>
    public void Reserve(int rows) => Buffers.Grow(ref _statistics, checked(rows * _perRow));

    /// <summary>y = gain · (x − mean) / √(variance + ε) + bias, per row and increment.</summary>
    /// <param name="x">[rows × D].</param>
    /// <param name="y">Out: [rows × D].</param>
    /// <param name="firstRow">Number of the first row in the batch.</param>
    public void Forward(ReadOnlySpan<float> x, Span<float> y, int firstRow) =>
        _kernel.Forward(x, _set.Value(_gain), _set.Value(_bias), y, Statistics(firstRow, x.Length));

    /// <summary>One row [D] without a backward pass; y may be x.</summary>
    public void ForwardRow(ReadOnlySpan<float> x, Span<float> y)
    {
        Span<float> statistics = stackalloc float[_perRow];
        _kernel.Forward(x, _set.Value(_gain), _set.Value(_bias), y, statistics);
    }

    /// <summary>dx [rows × D] is overwritten, or added to; x and dy [rows × D]. Adds gain and bias gradients to the lane.</summary>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int firstRow, Lane lane, bool add) =>
        lane.Norm.Backward(dy, x, _set.Value(_gain), Statistics(firstRow, x.Length), dx, lane.Gradient(_gain), lane.Gradient(_bias), add);

    private Span<float> Statistics(int firstRow, int length) => _statistics.AsSpan(firstRow * _perRow, length / _d * _perRow);
}
