using System.Numerics.Tensors;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>
/// Nested gated recurrent unit [Cho et al. 2014]: z = σ(W_z x + U_z h), r = σ(W_r x + U_r h), n = tanh(W_n x + r ⊙ (U_n h)),
/// h ← (1 − z) ⊙ n + z ⊙ h; W and U are nested linears with bias.
/// </summary>
/// <remarks>A row of gates has 3D floats: for each increment z, then r, then n, so a prefix is a narrower unit's row.</remarks>
internal sealed class Gru
{
    private readonly Increments _widths;
    private readonly int _d;

    public Gru(ParameterSet set, string name, Increments widths)
    {
        _widths = widths;
        _d = widths.Dimension;
        Input = new NestedLinear(set, $"{name}.input", widths, widths.Scale(3));
        Hidden = new NestedLinear(set, $"{name}.hidden", widths, widths.Scale(3));
    }

    /// <summary>Gets W, inputs to gates.</summary>
    public NestedLinear Input { get; }

    /// <summary>Gets U, states to gates.</summary>
    public NestedLinear Hidden { get; }

    public void Initialize(ulong seed, double scale)
    {
        Input.Initialize(seed, scale);
        Hidden.Initialize(seed, scale);
    }

    /// <summary>Packs the weights; call once per step, before any chunk.</summary>
    public void Prepare()
    {
        Input.Prepare();
        Hidden.Prepare();
    }

    /// <summary>One step of one sequence.</summary>
    /// <param name="gates">[3D] In: W x. Out: z, r, n.</param>
    /// <param name="hidden">[3D] U h.</param>
    /// <param name="candidate">Out: [D] U_n h, for the backward pass.</param>
    /// <param name="state">[D] In: h. Out: the new h.</param>
    public void Step(Span<float> gates, ReadOnlySpan<float> hidden, Span<float> candidate, Span<float> state)
    {
        for (int k = 0; k < _widths.Count; k++)
        {
            int start = _widths.Start(k),
                n = _widths.Length(k);
            Span<float> opening = gates.Slice(3 * start, 2 * n);
            TensorPrimitives.Add(opening, hidden.Slice(3 * start, 2 * n), opening);
            TensorPrimitives.Sigmoid(opening, opening);
            Span<float> z = opening[..n];
            Span<float> r = opening[n..];
            Span<float> fresh = gates.Slice((3 * start) + (2 * n), n);
            Span<float> inner = candidate.Slice(start, n);
            hidden.Slice((3 * start) + (2 * n), n).CopyTo(inner);
            TensorPrimitives.MultiplyAdd(r, inner, fresh, fresh);
            TensorPrimitives.Tanh(fresh, fresh);
            Span<float> h = state.Slice(start, n);
            for (int i = 0; i < n; i++)
            {
                h[i] = fresh[i] + (z[i] * (h[i] - fresh[i]));
            }
        }
    }

    /// <summary>Backward pass of <see cref="Step"/>.</summary>
    /// <param name="gates">[3D] In: z, r, n. Out: gradient with respect to W x.</param>
    /// <param name="candidate">[D] From the forward pass.</param>
    /// <param name="previous">[D] h before the step.</param>
    /// <param name="gradient">[D] In: gradient with respect to the new h. Out: its direct part with respect to the previous h.</param>
    /// <param name="hidden">Out: [3D] gradient with respect to U h.</param>
    public void StepBackward(
        Span<float> gates,
        ReadOnlySpan<float> candidate,
        ReadOnlySpan<float> previous,
        Span<float> gradient,
        Span<float> hidden
    )
    {
        for (int k = 0; k < _widths.Count; k++)
        {
            int start = _widths.Start(k),
                n = _widths.Length(k),
                at = 3 * start;
            for (int i = 0; i < n; i++)
            {
                float z = gates[at + i],
                    r = gates[at + n + i],
                    fresh = gates[at + (2 * n) + i],
                    g = gradient[start + i];
                float dFresh = g * (1 - z) * (1 - (fresh * fresh));
                float dz = g * (previous[start + i] - fresh) * z * (1 - z);
                float dr = dFresh * candidate[start + i] * r * (1 - r);
                gates[at + i] = hidden[at + i] = dz;
                gates[at + n + i] = hidden[at + n + i] = dr;
                gates[at + (2 * n) + i] = dFresh;
                hidden[at + (2 * n) + i] = dFresh * r;
                gradient[start + i] = g * z;
            }
        }
    }
}
