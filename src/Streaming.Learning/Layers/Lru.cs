using Streaming.Kernels;

namespace Streaming.Learning;

/// <summary>
/// Linear recurrent unit [Orvieto et al. 2023, eq. 3–8; nested as in fMRLRec]: s_t = λ ⊙ s_{t−1} + γ ⊙ (B x_t),
/// y = Re(C s), λ = exp(−exp(ν) + i·exp(θ)), γ = exp(γ_log). |λ| &lt; 1 whatever the parameters.
/// </summary>
/// <remarks>
/// A state row has 2D floats: of each increment first the real parts, then the imaginary ones. So the state of a narrower
/// model is a prefix, and B and C are nested linears whose state side has doubled widths.
/// </remarks>
internal sealed class Lru
{
    private readonly ParameterSet _set;
    private readonly Increments _widths;
    private readonly Parameter _nu;
    private readonly Parameter _theta;
    private readonly Parameter _gamma;
    private readonly float[] _real;
    private readonly float[] _imaginary;
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
        _real = new float[d];
        _imaginary = new float[d];
        _scale = new float[d];
    }

    /// <summary>Gets B: inputs to states.</summary>
    public NestedLinear Input { get; }

    /// <summary>Gets Re(C ·): states to outputs. Rows of imaginary parts hold −Im C.</summary>
    public NestedLinear Output { get; }

    /// <summary>λ uniform on the ring r_min … r_max [Orvieto et al., lemma 3.2], γ = √(1 − |λ|²).</summary>
    public void Initialize(ulong seed, ModelOptions options)
    {
        var random = Gaussian.For(seed, _nu.Name);
        var nu = _set.Value(_nu);
        var theta = _set.Value(_theta);
        var gamma = _set.Value(_gamma);
        double min = (double)options.RingMin * options.RingMin, max = (double)options.RingMax * options.RingMax;
        for (int i = 0; i < nu.Length; i++)
        {
            double decay = -0.5 * Math.Log((random.NextUniform() * (max - min)) + min);
            nu[i] = (float)Math.Log(decay);
            theta[i] = (float)Math.Log(2 * Math.PI * random.NextUniform());
            gamma[i] = (float)(0.5 * Math.Log(1 - Math.Exp(-2 * decay)));
        }

        // Real and imaginary parts share the variance of a map.
        Input.Initialize(seed, options.WeightScale / Math.Sqrt(2));
        Output.Initialize(seed, options.WeightScale);
    }

    /// <summary>λ and γ from the parameters: once a step, before any chunk.</summary>
    public void Prepare()
    {
        var nu = _set.Value(_nu);
        var theta = _set.Value(_theta);
        var gamma = _set.Value(_gamma);
        for (int i = 0; i < _real.Length; i++)
        {
            double radius = Math.Exp(-Math.Exp(nu[i])), phase = Math.Exp(theta[i]);
            _real[i] = (float)(radius * Math.Cos(phase));
            _imaginary[i] = (float)(radius * Math.Sin(phase));
            _scale[i] = (float)Math.Exp(gamma[i]);
        }
    }

    /// <summary>In place: B x → states, one sequence of <paramref name="steps"/> rows.</summary>
    public void Scan(Span<float> states, int steps)
    {
        int width = 2 * _widths.Dimension;
        for (int t = 0; t < steps; t++)
        {
            var row = states.Slice(t * width, width);
            Advance(t == 0 ? default : states.Slice((t - 1) * width, width), row);
        }
    }

    /// <summary>One step: <paramref name="row"/> is B x on entry, the new state on return.</summary>
    /// <param name="previous">The state before, or empty for zero. May be another buffer.</param>
    /// <param name="row">[2D].</param>
    public void Advance(ReadOnlySpan<float> previous, Span<float> row)
    {
        for (int k = 0; k < _widths.Count; k++)
        {
            int start = _widths.Start(k), n = _widths.Length(k);
            for (int i = 0; i < n; i++)
            {
                int re = (2 * start) + i, im = re + n, c = start + i;
                float x = _scale[c] * row[re], y = _scale[c] * row[im];
                if (!previous.IsEmpty)
                {
                    x += (_real[c] * previous[re]) - (_imaginary[c] * previous[im]);
                    y += (_real[c] * previous[im]) + (_imaginary[c] * previous[re]);
                }

                row[re] = x;
                row[im] = y;
            }
        }
    }

    /// <summary>In place: gradient by the states' outputs → gradient by B x; those of ν, θ, γ are added to the lane.</summary>
    /// <param name="states">[steps × 2D] of one sequence.</param>
    /// <param name="gradients">[steps × 2D].</param>
    /// <param name="steps">Length of the sequence.</param>
    /// <param name="sums">[3D] of the chunk: Re and Im of Σ δ_t · conj(s_{t−1}), and Σ Re(δ_t · conj(s_t)).</param>
    public void ScanBackward(ReadOnlySpan<float> states, Span<float> gradients, int steps, Span<float> sums)
    {
        int d = _widths.Dimension, width = 2 * d;
        for (int t = steps - 1; t >= 0; t--)
        {
            for (int k = 0; k < _widths.Count; k++)
            {
                int start = _widths.Start(k), n = _widths.Length(k);
                for (int i = 0; i < n; i++)
                {
                    int c = start + i, re = (t * width) + (2 * start) + i, im = re + n;
                    float gr = gradients[re], gi = gradients[im];
                    sums[(2 * d) + c] += (gr * states[re]) + (gi * states[im]);
                    if (t > 0)
                    {
                        float pr = states[re - width], pi = states[im - width];
                        sums[c] += (gr * pr) + (gi * pi);
                        sums[d + c] += (gi * pr) - (gr * pi);
                        gradients[re - width] += (_real[c] * gr) + (_imaginary[c] * gi);
                        gradients[im - width] += (_real[c] * gi) - (_imaginary[c] * gr);
                    }

                    gradients[re] = _scale[c] * gr;
                    gradients[im] = _scale[c] * gi;
                }
            }
        }
    }

    /// <summary>
    /// Turns the sums of a chunk into gradients. With A = Σ δ conj(s_{t−1}): ∂ν = −e^ν Re(λ̄ A), ∂θ = e^θ Im(λ̄ A), and
    /// because γ B x_t = s_t − λ s_{t−1} need not be kept, ∂γ_log = Σ Re(δ conj(s_t)) − Re(λ̄ A).
    /// </summary>
    public void AddGradients(ReadOnlySpan<float> sums, Lane lane)
    {
        int d = _widths.Dimension;
        var nu = _set.Value(_nu);
        var theta = _set.Value(_theta);
        var nuGradient = lane.Gradient(_nu);
        var thetaGradient = lane.Gradient(_theta);
        var gammaGradient = lane.Gradient(_gamma);
        for (int c = 0; c < d; c++)
        {
            float real = (_real[c] * sums[c]) + (_imaginary[c] * sums[d + c]);
            float imaginary = (_real[c] * sums[d + c]) - (_imaginary[c] * sums[c]);
            nuGradient[c] -= MathF.Exp(nu[c]) * real;
            thetaGradient[c] += MathF.Exp(theta[c]) * imaginary;
            gammaGradient[c] += sums[(2 * d) + c] - real;
        }
    }
}
