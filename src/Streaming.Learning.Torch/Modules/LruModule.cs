using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch;

/// <summary>
/// Linear recurrent unit [Orvieto et al. 2023]: s_t = λ ⊙ s_{t−1} + γ ⊙ (B x_t), y = Re(C s), with λ = exp(−exp(ν) + i·exp(θ)) and
/// γ = exp(γ_log). Rows of the state side of B and C hold, for each increment, first the real parts, then the imaginary ones.
/// </summary>
internal sealed class LruModule : nn.Module<Tensor, long, Tensor?, Tensor>
{
    private readonly DeviceParameter _nu;
    private readonly DeviceParameter _theta;
    private readonly DeviceParameter _gamma;
    private readonly NestedLinearModule _input;
    private readonly NestedLinearModule _output;
    private readonly Tensor _order;

    public LruModule(DenseParameters dense, string name, Increments widths)
        : base(nameof(LruModule))
    {
        _nu = dense[$"{name}.nu_log"];
        _theta = dense[$"{name}.theta_log"];
        _gamma = dense[$"{name}.gamma_log"];
        _input = new NestedLinearModule(dense, $"{name}.input");
        _output = new NestedLinearModule(dense, $"{name}.output");
        _order = Parts.Order(widths, 2, _nu.device);
        register_parameter("nu_log", _nu);
        register_parameter("theta_log", _theta);
        register_parameter("gamma_log", _gamma);
        register_buffer("order", _order);
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
        var decay = _nu.to_type(ScalarType.Float64).exp();
        var phase = _theta.to_type(ScalarType.Float64).exp();
        var states = LinearScan.Run(Drive(inputs).view(-1, steps, _order.shape[0]), decay, phase).view(-1, _order.shape[0]);
        var rows = selected is null ? states : states.index_select(0, selected);
        return addmm(_output.Bias!, rows, _output.Weight.index_select(0, _order), 1, 1).MoveToOuterDisposeScope();
    }

    // γ ⊙ (B x) [S·T × 2D]. γ goes into the weights, which are fewer than the rows.
    private Tensor Drive(Tensor inputs)
    {
        Shapes.Require(inputs, "input of an LRU", inputs.shape[0], _input.Weight.shape[0]);
        var gamma = _gamma.exp().repeat(2);
        return addmm(_input.Bias!.index_select(0, _order).mul(gamma), inputs, _input.Weight.index_select(1, _order).mul(gamma), 1, 1);
    }
}
