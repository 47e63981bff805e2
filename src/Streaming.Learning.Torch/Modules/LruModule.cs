using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>
/// Linear recurrent unit [Orvieto et al. 2023]: s_t = λ ⊙ s_{t−1} + γ ⊙ (B x_t), y = Re(C s), with λ = exp(−exp(ν) + i·exp(θ)) and
/// γ = exp(γ_log). Rows of the state side of B and C hold, for each increment, first the real parts, then the imaginary ones.
/// </summary>
internal sealed class LruModule : nn.Module<Tensor, long, Tensor?, Tensor>
{
    private readonly Increments _widths;
    private readonly DeviceParameter _nu;
    private readonly DeviceParameter _theta;
    private readonly DeviceParameter _gamma;
    private readonly NestedLinearModule _input;
    private readonly NestedLinearModule _output;

    public LruModule(DenseParameters dense, string name, Increments widths)
        : base(nameof(LruModule))
    {
        _widths = widths;
        _nu = dense[$"{name}.nu_log"];
        _theta = dense[$"{name}.theta_log"];
        _gamma = dense[$"{name}.gamma_log"];
        _input = new NestedLinearModule(dense, $"{name}.input", widths, widths.Scale(2));
        _output = new NestedLinearModule(dense, $"{name}.output", widths.Scale(2), widths);
        register_parameter("nu_log", _nu);
        register_parameter("theta_log", _theta);
        register_parameter("gamma_log", _gamma);
        register_module("input", _input);
        register_module("output", _output);
    }

    /// <summary>Outputs at the selected steps.</summary>
    /// <param name="inputs">[S·T × D], sequence after sequence.</param>
    /// <param name="steps">T.</param>
    /// <param name="selected">[n] int64 rows of the flattened steps, or null for all.</param>
    public override Tensor forward(Tensor inputs, long steps, Tensor? selected)
    {
        using var scope = NewDisposeScope();
        var (real, imaginary) = Drive(inputs, steps);
        var decay = _nu.to_type(ScalarType.Float64).exp();
        var phase = _theta.to_type(ScalarType.Float64).exp();
        (real, imaginary) = LinearScan.Run(real, imaginary, decay, phase);
        return _output.forward(Interleave(Rows(real, selected), Rows(imaginary, selected))).MoveToOuterDisposeScope();
    }

    // γ ⊙ (B x), real and imaginary parts apart [S × T × D].
    private (Tensor Real, Tensor Imaginary) Drive(Tensor inputs, long steps)
    {
        var slices = _input.Slices(inputs);
        var gamma = _gamma.exp();
        var real = cat([.. slices.Select((slice, k) => slice.narrow(1, 0, _widths.Length(k)))], 1);
        var imaginary = cat([.. slices.Select((slice, k) => slice.narrow(1, _widths.Length(k), _widths.Length(k)))], 1);
        return (real.mul(gamma).view(-1, steps, _widths.Dimension), imaginary.mul(gamma).view(-1, steps, _widths.Dimension));
    }

    private Tensor Rows(Tensor states, Tensor? selected)
    {
        var rows = states.view(-1, _widths.Dimension);
        return selected is null ? rows : rows.index_select(0, selected);
    }

    private Tensor Interleave(Tensor real, Tensor imaginary)
    {
        var parts = new List<Tensor>(2 * _widths.Count);
        for (int k = 0; k < _widths.Count; k++)
        {
            parts.Add(real.narrow(1, _widths.Start(k), _widths.Length(k)));
            parts.Add(imaginary.narrow(1, _widths.Start(k), _widths.Length(k)));
        }

        return cat(parts, 1);
    }
}
