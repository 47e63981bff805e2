using System.Numerics.Tensors;
using Streaming.Kernels;

namespace Streaming.Learning;

/// <summary>
/// Nested linear map (the fMRL operator of fMRLRec): slice k maps inputs [0, in_k) to the outputs of increment k, with
/// bias. As one matrix it is block-triangular; only the blocks that exist are stored and multiplied.
/// </summary>
/// <remarks>Weights of slice k: <c>name.weight.k</c> [in_k × out increment]. Row-major rows, leading dimensions given.</remarks>
internal sealed class NestedLinear
{
    private readonly ParameterSet _set;
    private readonly Increments _inputs;
    private readonly Increments _outputs;
    private readonly Parameter[] _weights;
    private readonly Parameter? _bias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="set">Where they live.</param>
    /// <param name="name">Dotted path.</param>
    /// <param name="inputs">Input widths, one a slice.</param>
    /// <param name="outputs">Output widths, one a slice.</param>
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
    }

    /// <summary>Gets the weights of each slice.</summary>
    public ReadOnlySpan<Parameter> Weights => _weights;

    /// <summary>Sets the weights to truncated normal values of deviation scale / √in_k, the bias to zero.</summary>
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

    /// <summary>Sets the map to scale · identity (equal input and output widths), the bias to zero.</summary>
    public void InitializeIdentity(float scale)
    {
        for (int k = 0; k < _weights.Length; k++)
        {
            var weight = _set.Value(_weights[k]);
            weight.Clear();
            for (int j = 0; j < _outputs.Length(k); j++)
            {
                weight[((_outputs.Start(k) + j) * _outputs.Length(k)) + j] = scale;
            }
        }

        if (_bias is not null)
        {
            _set.Value(_bias).Clear();
        }
    }

    /// <summary>Y [rows × out] = X [rows × in] · W + b.</summary>
    public void Forward(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        int ldx = _inputs.Dimension, ldy = _outputs.Dimension;
        for (int r = 0; r < rows; r++)
        {
            if (_bias is null)
            {
                y.Slice(r * ldy, ldy).Clear();
            }
            else
            {
                _set.Value(_bias).CopyTo(y.Slice(r * ldy, ldy));
            }
        }

        for (int k = 0; k < _weights.Length; k++)
        {
            Gemm.Multiply(rows, _outputs.Length(k), _inputs.End(k), x, ldx, _set.Value(_weights[k]), _outputs.Length(k), y[_outputs.Start(k)..], ldy, accumulate: true);
        }
    }

    /// <summary>Gradients of the weights are added to the lane; that of X is set, or added to.</summary>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int rows, Lane lane, bool add = false)
    {
        BackwardInput(dy, dx, rows, add);
        BackwardWeights(x, dy, rows, lane);
    }

    /// <summary>dX (+)= dY · Wᵀ.</summary>
    public void BackwardInput(ReadOnlySpan<float> dy, Span<float> dx, int rows, bool add)
    {
        // From the widest slice down: it alone covers every input, so that it may overwrite.
        int ldx = _inputs.Dimension, ldy = _outputs.Dimension;
        for (int k = _weights.Length - 1; k >= 0; k--)
        {
            Gemm.MultiplyTransposeB(rows, _inputs.End(k), _outputs.Length(k), dy[_outputs.Start(k)..], ldy, _set.Value(_weights[k]), _outputs.Length(k), dx, ldx, add || k < _weights.Length - 1);
        }
    }

    /// <summary>Gradients of weights and bias are added to the lane.</summary>
    public void BackwardWeights(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, int rows, Lane lane)
    {
        int ldx = _inputs.Dimension, ldy = _outputs.Dimension;
        for (int k = 0; k < _weights.Length; k++)
        {
            Gemm.MultiplyTransposeA(_inputs.End(k), _outputs.Length(k), rows, x, ldx, dy[_outputs.Start(k)..], ldy, lane.Gradient(_weights[k]), _outputs.Length(k), accumulate: true);
        }

        if (_bias is not null)
        {
            var gradient = lane.Gradient(_bias);
            for (int r = 0; r < rows; r++)
            {
                TensorPrimitives.Add(gradient, dy.Slice(r * ldy, ldy), gradient);
            }
        }
    }
}
