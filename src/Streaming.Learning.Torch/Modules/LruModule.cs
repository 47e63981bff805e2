using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// Linear recurrent unit [Orvieto et al. 2023]: s_t = λ ⊙ s_{t−1} + γ ⊙ (B x_t), y = Re(C s), with λ = exp(−exp(ν) + i·exp(θ)) and
/// γ = exp(γ_log). Rows of the state side of B and C store, for each increment, the real parts, then the imaginary parts.
/// </summary>
internal sealed class LruModule : nn.Module<Tensor, long, Tensor?, Tensor>
{
    private readonly DeviceParameter _nu;
    private readonly DeviceParameter _theta;
    private readonly DeviceParameter _gamma;
    private readonly long _d;
    private readonly NestedLinearModule _input;
    private readonly NestedLinearModule _output;
    private readonly Tensor _order;

    public LruModule(DenseParameters dense, string name, Increments widths)
        : base(nameof(LruModule))
    {
        _d = widths.Dimension;
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
    /// <param name="inputs">[S·T × D], concatenated sequences.</param>
    /// <param name="steps">T.</param>
    /// <param name="selected">[n] int64 rows of the flattened steps, or null for all.</param>
    public override Tensor forward(Tensor inputs, long steps, Tensor? selected)
    {
        using DisposeScope scope = NewDisposeScope();
        Shapes.Require(inputs, "input of an LRU", inputs.shape[0], _d);
        (Tensor? real, Tensor? imaginary) = Drive(inputs, steps);
        (real, imaginary) = LinearScan.Run(
            real,
            imaginary,
            _nu.to_type(ScalarType.Float64).exp(),
            _theta.to_type(ScalarType.Float64).exp()
        );
        Tensor[] weights = Halves(_output.Weight.index_select(0, _order), 0);
        Tensor outputs = addmm(_output.Bias!, Rows(real, selected), weights[0], 1, 1);
        return outputs.addmm_(Rows(imaginary, selected), weights[1]).MoveToOuterDisposeScope();
    }

    private Tensor[] Halves(Tensor values, long dimension) => values.split([_d, _d], dimension);

    // γ ⊙ (B x), channels first [D × S × T]. γ is folded into the weights, which are fewer than the rows.
    private (Tensor Real, Tensor Imaginary) Drive(Tensor inputs, long steps)
    {
        Tensor gamma = _gamma.exp().repeat(2);
        Tensor weight = _input.Weight.index_select(1, _order).mul(gamma);
        Tensor bias = _input.Bias!.index_select(0, _order).mul(gamma);
        Tensor[] halves = Halves(addmm(bias.unsqueeze(1), weight.t(), inputs.t(), 1, 1), 0);
        return (halves[0].view(_d, -1, steps), halves[1].view(_d, -1, steps));
    }

    // [n × D], without a copy if all are selected.
    private Tensor Rows(Tensor states, Tensor? selected)
    {
        Tensor channels = states.view(_d, -1);
        return (selected is null ? channels : channels.index_select(1, selected)).t();
    }
}
