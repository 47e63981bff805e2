using Streaming.Kernels.Recurrence;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>
/// Linear recurrent unit [Orvieto et al. 2023, eq. 3–8; nested as in fMRLRec]: s_t = λ ⊙ s_{t−1} + γ ⊙ (B x_t),
/// y = Re(C s), λ = exp(−exp(ν) + i·exp(θ)), γ = exp(γ_log). |λ| &lt; 1 whatever the parameters.
/// </summary>
/// <remarks>
/// A state row has 2D floats: for each increment the real parts, then the imaginary parts. The state of a narrower model is
/// thus a prefix, and B and C are nested linear maps whose state side has doubled widths.
/// </remarks>
internal sealed class Lru
{
    private readonly ParameterSet _set;
    private readonly Increments _widths;
    private readonly Parameter _nu;
    private readonly Parameter _theta;
    private readonly Parameter _gamma;
    private readonly float[] _lambda;
    private readonly float[] _scale;

    public Lru(ParameterSet set, string name, Increments widths)
    {
        _set = set;
        _widths = widths;
        int d = widths.Dimension;
        _nu = set.Add($"{name}.nu_log", decays: false, d);
        _theta = set.Add($"{name}.theta_log", decays: false, d);
        _gamma = set.Add($"{name}.gamma_log", decays: false, d);
        Input = new NestedLinear(set, $"{name}.input", widths, widths.Scale(2));
        Output = new NestedLinear(set, $"{name}.output", widths.Scale(2), widths);
        _lambda = new float[2 * d];
        _scale = new float[2 * d];
    }

    /// <summary>Gets the number of floats in the sums of a backward scan.</summary>
    public int SumsLength => 4 * _widths.Dimension;

    /// <summary>Gets B: inputs to states.</summary>
    public NestedLinear Input { get; }

    /// <summary>Gets Re(C ·): states to outputs. The rows for imaginary parts store −Im C.</summary>
    public NestedLinear Output { get; }

    /// <summary>λ uniform on the ring r_min ≤ |λ| ≤ r_max [Orvieto et al., lemma 3.2], γ = √(1 − |λ|²).</summary>
    public void Initialize(ulong seed, ModelOptions options)
    {
        var random = Gaussian.For(seed, _nu.Name);
        Span<float> nu = _set.Value(_nu);
        Span<float> theta = _set.Value(_theta);
        Span<float> gamma = _set.Value(_gamma);
        double min = (double)options.RingMin * options.RingMin,
            max = (double)options.RingMax * options.RingMax;
        for (int i = 0; i < nu.Length; i++)
        {
            double decay = -0.5 * Math.Log((random.NextUniform() * (max - min)) + min);
            nu[i] = (float)Math.Log(decay);
            theta[i] = (float)Math.Log(2 * Math.PI * random.NextUniform());
            gamma[i] = (float)(0.5 * Math.Log(1 - Math.Exp(-2 * decay)));
        }

        // Real and imaginary parts share the variance of the map.
        Input.Initialize(seed, options.WeightScale / Math.Sqrt(2));
        Output.Initialize(seed, options.WeightScale);
    }

    /// <summary>Computes λ and γ, in the layout of a state, and packs the maps; call once per step, before any chunk.</summary>
    public void Prepare()
    {
        Input.Prepare();
        Output.Prepare();
        Span<float> nu = _set.Value(_nu);
        Span<float> theta = _set.Value(_theta);
        Span<float> gamma = _set.Value(_gamma);
        for (int k = 0; k < _widths.Count; k++)
        {
            int start = _widths.Start(k),
                n = _widths.Length(k);
            for (int i = 0; i < n; i++)
            {
                int re = (2 * start) + i,
                    im = re + n;
                double radius = Math.Exp(-Math.Exp(nu[start + i])),
                    phase = Math.Exp(theta[start + i]);
                _lambda[re] = (float)(radius * Math.Cos(phase));
                _lambda[im] = (float)(radius * Math.Sin(phase));
                _scale[re] = _scale[im] = (float)Math.Exp(gamma[start + i]);
            }
        }
    }

    /// <summary>B x → states, in place: one sequence, [steps × 2D].</summary>
    public void Scan(Span<float> states, int steps) => NestedLruScan.Forward(states, steps, _widths.Ends, _lambda, _scale);

    /// <summary>Advances one sequence by one step: from the state in the first row to the state in the second.</summary>
    /// <param name="rows">[2 × 2D] In: the previous state, then B x. Out: the new state in the second row.</param>
    public void Advance(Span<float> rows)
    {
        int width = 2 * _widths.Dimension;
        Span<float> previous = rows[..width];
        Span<float> row = rows.Slice(width, width);
        for (int k = 0; k < _widths.Count; k++)
        {
            int n = _widths.Length(k),
                at = 2 * _widths.Start(k);
            for (int re = at, im = at + n; re < at + n; re++, im++)
            {
                float x = _scale[re] * row[re],
                    y = _scale[im] * row[im];
                row[re] = x + ((_lambda[re] * previous[re]) - (_lambda[im] * previous[im]));
                row[im] = y + ((_lambda[re] * previous[im]) + (_lambda[im] * previous[re]));
            }
        }
    }

    /// <summary>Gradient with respect to the states' outputs → gradient with respect to B x, in place, one sequence.</summary>
    /// <param name="states">[steps × 2D] of one sequence.</param>
    /// <param name="gradients">[steps × 2D].</param>
    /// <param name="steps">Length of the sequence.</param>
    /// <param name="sums">[4D] of the chunk, added to: Σ δ_t · conj(s_{t−1}), and Σ δ_t ⊙ s_t by real and imaginary part.</param>
    public void ScanBackward(ReadOnlySpan<float> states, Span<float> gradients, int steps, Span<float> sums)
    {
        int width = 2 * _widths.Dimension;
        NestedLruScan.Backward(states, gradients, steps, _widths.Ends, _lambda, _scale, sums[..width], sums[width..]);
    }

    /// <summary>
    /// Converts the sums of a chunk to gradients. With A = Σ δ conj(s_{t−1}): ∂ν = −e^ν Re(λ̄ A), ∂θ = e^θ Im(λ̄ A), and
    /// because γ B x_t = s_t − λ s_{t−1} need not be kept, ∂γ_log = Σ Re(δ conj(s_t)) − Re(λ̄ A).
    /// </summary>
    public void AddGradients(ReadOnlySpan<float> sums, Lane lane)
    {
        int width = 2 * _widths.Dimension;
        Span<float> nu = _set.Value(_nu);
        Span<float> theta = _set.Value(_theta);
        Span<float> nuGradient = lane.Gradient(_nu);
        Span<float> thetaGradient = lane.Gradient(_theta);
        Span<float> gammaGradient = lane.Gradient(_gamma);
        for (int k = 0; k < _widths.Count; k++)
        {
            int n = _widths.Length(k),
                start = _widths.Start(k);
            for (int i = 0; i < n; i++)
            {
                int re = (2 * start) + i,
                    im = re + n,
                    c = start + i;
                float real = (_lambda[re] * sums[re]) + (_lambda[im] * sums[im]);
                float imaginary = (_lambda[re] * sums[im]) - (_lambda[im] * sums[re]);
                nuGradient[c] -= MathF.Exp(nu[c]) * real;
                thetaGradient[c] += MathF.Exp(theta[c]) * imaginary;
                gammaGradient[c] += sums[width + re] + sums[width + im] - real;
            }
        }
    }
}
