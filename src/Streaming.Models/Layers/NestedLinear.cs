using System.Numerics.Tensors;
using Streaming.Kernels.Linear;
using Streaming.Kernels.Norms;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>
/// Nested linear map (the fMRL operator of fMRLRec): slice k maps inputs [0, in_k) to the outputs of increment k, with bias.
/// The whole matrix is block-triangular; only its non-zero blocks are stored and multiplied.
/// </summary>
/// <remarks>
/// Weights of slice k: <c>name.weight.k</c> [in_k × out increment]. The gradients of the narrowest slices, whose outputs
/// together fit one panel of the product kernel, are computed as one matrix with an unused corner: three products of 8, 8 and
/// 16 columns cost three times one of 32.
/// </remarks>
internal sealed class NestedLinear
{
    // Columns per panel of the product kernel.
    private const int Panel = 32;
    private readonly ParameterSet _set;
    private readonly Increments _inputs;
    private readonly Increments _outputs;
    private readonly Parameter[] _weights;
    private readonly Parameter? _bias;
    private readonly int _merged;
    private readonly int _coreInputs;
    private readonly int _coreOutputs;
    private readonly NestedProduct _product;

    /// <summary>Declares the parameters.</summary>
    /// <param name="set">Receives the parameters.</param>
    /// <param name="name">Dotted path.</param>
    /// <param name="inputs">Input widths, one per slice.</param>
    /// <param name="outputs">Output widths, one per slice.</param>
    /// <param name="bias">Whether there is a bias.</param>
    public NestedLinear(ParameterSet set, string name, Increments inputs, Increments outputs, bool bias = true)
    {
        _set = set;
        _inputs = inputs;
        _outputs = outputs;
        _weights = new Parameter[inputs.Count];
        for (int k = 0; k < _weights.Length; k++)
        {
            _weights[k] = set.Add($"{name}.weight.{k}", decays: true, inputs.End(k), outputs.Length(k));
        }

        _bias = bias ? set.Add($"{name}.bias", decays: false, outputs.Dimension) : null;
        while (_merged < outputs.Count && outputs.End(_merged) <= Panel)
        {
            _merged++;
        }

        _merged = _merged > 1 ? _merged : 0;
        _coreInputs = _merged == 0 ? 0 : inputs.End(_merged - 1);
        _coreOutputs = _merged == 0 ? 0 : outputs.End(_merged - 1);
        _product = new NestedProduct(inputs.Ends, outputs.Ends);
    }

    /// <summary>Gets the weights of each slice.</summary>
    public ReadOnlySpan<Parameter> Weights => _weights;

    /// <summary>Sets the weights to truncated normal values of standard deviation scale / √in_k, the bias to zero.</summary>
    public void Initialize(ulong seed, double scale)
    {
        for (int k = 0; k < _weights.Length; k++)
        {
            Gaussian.For(seed, _weights[k].Name).Fill(_set.Value(_weights[k]), scale / Math.Sqrt(_inputs.End(k)));
        }

        if (_bias is not null)
        {
            _set.Value(_bias).Clear();
        }
    }

    /// <summary>
    /// Sets the map to scale · diag(±1) (equal input and output widths) and the bias to zero; the last outputs of each increment,
    /// a share of <paramref name="negatives"/>, get the minus sign.
    /// </summary>
    public void InitializeDiagonal(float scale, float negatives)
    {
        for (int k = 0; k < _weights.Length; k++)
        {
            Span<float> weight = _set.Value(_weights[k]);
            weight.Clear();
            int n = _outputs.Length(k),
                positives = n - (int)MathF.Round(n * negatives);
            for (int j = 0; j < n; j++)
            {
                weight[((_outputs.Start(k) + j) * n) + j] = j < positives ? scale : -scale;
            }
        }

        if (_bias is not null)
        {
            _set.Value(_bias).Clear();
        }
    }

    /// <summary>Packs the weights; call once per step, before any chunk.</summary>
    public void Prepare()
    {
        for (int k = 0; k < _weights.Length; k++)
        {
            _product.Pack(k, _set.Value(_weights[k]));
        }
    }

    /// <summary>Y [rows × out] = X [rows × in] · W + b.</summary>
    public void Forward(ReadOnlySpan<float> x, Span<float> y, int rows) =>
        _product.Forward(x, _bias is null ? [] : _set.Value(_bias), y, rows);

    /// <summary>dX [rows × in] is overwritten, or added to; X [rows × in], dY [rows × out]. Adds weight and bias gradients to
    /// the lane.</summary>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int rows, Lane lane, bool add = false)
    {
        BackwardInput(dy, dx, rows, add);
        BackwardWeights(x, dy, rows, lane);
    }

    /// <summary>dX [rows × in] (+)= dY [rows × out] · Wᵀ.</summary>
    public void BackwardInput(ReadOnlySpan<float> dy, Span<float> dx, int rows, bool add) => _product.Backward(dy, dx, rows, add);

    /// <summary>Adds the gradients of weights and bias to the lane; X [rows × in], dY [rows × out].</summary>
    public void BackwardWeights(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, int rows, Lane lane)
    {
        int ldx = _inputs.Dimension,
            ldy = _outputs.Dimension;
        if (_merged > 0)
        {
            CoreGradient(x, dy, rows, lane);
        }

        for (int k = _merged; k < _weights.Length; k++)
        {
            Gemm.MultiplyTransposeA(
                _inputs.End(k),
                _outputs.Length(k),
                rows,
                x,
                ldx,
                dy[_outputs.Start(k)..],
                ldy,
                lane.Gradient(_weights[k]),
                _outputs.Length(k),
                accumulate: true
            );
        }

        if (_bias is not null)
        {
            ColumnSums.Add(dy[..(rows * ldy)], lane.Gradient(_bias));
        }
    }

    private void CoreGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, int rows, Lane lane)
    {
        Span<float> gradient = lane.Core(_coreInputs * _coreOutputs);
        Gemm.MultiplyTransposeA(_coreInputs, _coreOutputs, rows, x, _inputs.Dimension, dy, _outputs.Dimension, gradient, _coreOutputs);
        for (int k = 0; k < _merged; k++)
        {
            int n = _outputs.Length(k);
            Span<float> sum = lane.Gradient(_weights[k]);
            for (int i = 0; i < _inputs.End(k); i++)
            {
                Span<float> row = sum.Slice(i * n, n);
                TensorPrimitives.Add(row, gradient.Slice((i * _coreOutputs) + _outputs.Start(k), n), row);
            }
        }
    }
}
