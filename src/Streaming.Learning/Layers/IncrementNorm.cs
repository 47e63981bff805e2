using System.Numerics.Tensors;

namespace Streaming.Learning;

/// <summary>
/// A LayerNorm of its own for each increment [fMRLRec]: a norm over the whole width would let later columns move
/// earlier ones.
/// </summary>
internal sealed class IncrementNorm
{
    private const float Epsilon = 1e-5f;
    private readonly ParameterSet _set;
    private readonly Increments _increments;
    private readonly Parameter _gain;
    private readonly Parameter _bias;

    public IncrementNorm(ParameterSet set, string name, Increments increments)
    {
        _set = set;
        _increments = increments;
        _gain = set.Add($"{name}.gain", decays: false, increments.Dimension);
        _bias = set.Add($"{name}.bias", decays: false, increments.Dimension);
    }

    /// <summary>Gain 1, bias 0.</summary>
    public void Initialize()
    {
        _set.Value(_gain).Fill(1);
        _set.Value(_bias).Clear();
    }

    /// <summary>y = gain · (x − mean) / √(variance + ε) + bias, per row and increment. y may be x.</summary>
    public void Forward(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        int d = _increments.Dimension;
        var gain = _set.Value(_gain);
        var bias = _set.Value(_bias);
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < _increments.Count; k++)
            {
                int start = _increments.Start(k), n = _increments.Length(k);
                var input = x.Slice((r * d) + start, n);
                var output = y.Slice((r * d) + start, n);
                var (mean, scale) = Statistics(input);
                TensorPrimitives.Subtract(input, mean, output);
                TensorPrimitives.Multiply(output, scale, output);
                TensorPrimitives.MultiplyAdd(output, gain.Slice(start, n), bias.Slice(start, n), output);
            }
        }
    }

    /// <summary>Gradient of the input is set, or added to; dx may be dy unless it is added to.</summary>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int rows, Lane lane, bool add)
    {
        int d = _increments.Dimension;
        var gain = _set.Value(_gain);
        var gainGradient = lane.Gradient(_gain);
        var biasGradient = lane.Gradient(_bias);
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < _increments.Count; k++)
            {
                int start = _increments.Start(k), n = _increments.Length(k), at = (r * d) + start;
                BackwardOne(x.Slice(at, n), dy.Slice(at, n), dx.Slice(at, n), gain.Slice(start, n), gainGradient.Slice(start, n), biasGradient.Slice(start, n), add);
            }
        }
    }

    // dx = scale · (g − mean(g) − x̂ · mean(g · x̂)), g = dy · gain.
    private static void BackwardOne(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, ReadOnlySpan<float> gain, Span<float> gainGradient, Span<float> biasGradient, bool add)
    {
        var (mean, scale) = Statistics(x);
        float sum = 0, product = 0;
        for (int i = 0; i < x.Length; i++)
        {
            float normal = (x[i] - mean) * scale, g = dy[i] * gain[i];
            sum += g;
            product += g * normal;
            gainGradient[i] += dy[i] * normal;
            biasGradient[i] += dy[i];
        }

        sum /= x.Length;
        product /= x.Length;
        for (int i = 0; i < x.Length; i++)
        {
            float normal = (x[i] - mean) * scale;
            float value = scale * ((dy[i] * gain[i]) - sum - (normal * product));
            dx[i] = add ? dx[i] + value : value;
        }
    }

    private static (float Mean, float Scale) Statistics(ReadOnlySpan<float> x)
    {
        float mean = TensorPrimitives.Sum(x) / x.Length;
        float squares = 0;
        foreach (float value in x)
        {
            squares += (value - mean) * (value - mean);
        }

        return (mean, 1 / MathF.Sqrt((squares / x.Length) + Epsilon));
    }
}
