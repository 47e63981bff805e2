using Streaming.Models.Options;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>The fmrlrec tower in libtorch's operators: the input norm, and blocks of a linear recurrence and a gated layer.</summary>
/// <remarks>
/// A nested layer is one dense product with masked weights, which is faster here than one product per block. Complex
/// numbers are in libtorch's layout, real and imaginary parts interleaved.
/// </remarks>
internal sealed class TowerPeer
{
    private readonly Dictionary<string, DeviceParameter> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _masks = new(StringComparer.Ordinal);
    private readonly (int Begin, int Length)[] _increments;
    private readonly int _layers;
    private readonly double _dropout;

    /// <summary>Declares the parameters; <see cref="ParameterPlaces"/> gives them values.</summary>
    public TowerPeer(ModelOptions model)
    {
        (_layers, _dropout) = (model.Layers, model.Dropout[0]);
        int[] widths = [.. model.Widths],
            complex = Array.ConvertAll(widths, width => 2 * width);
        _increments = [.. widths.Select((width, k) => (k == 0 ? 0 : widths[k - 1], width - (k == 0 ? 0 : widths[k - 1])))];
        int d = widths[^1];
        Declare("tower.start", d);
        Norm("tower.input_norm");
        for (int i = 0; i < _layers; i++)
        {
            string block = $"tower.block{i}";
            Norm($"{block}.mix_norm");
            Norm($"{block}.ffn_norm");
            Declare($"{block}.lru.nu_log", d);
            Declare($"{block}.lru.theta_log", d);
            Declare($"{block}.lru.gamma_log", d);
            Linear($"{block}.lru.input", widths, complex);
            Linear($"{block}.lru.output", complex, widths);
            Linear($"{block}.ffn.gate", widths, widths);
            Linear($"{block}.ffn.up", widths, widths);
            Linear($"{block}.ffn.down", widths, widths);
        }

        void Norm(string name)
        {
            Declare($"{name}.gain", d);
            Declare($"{name}.bias", d);
        }
    }

    /// <summary>Gets the parameters by name; a nested layer's weights are [out × in].</summary>
    public IReadOnlyDictionary<string, DeviceParameter> Parameters => _parameters;

    /// <summary>[L × B × D] items of the histories → [B × D] vectors of the users.</summary>
    public Tensor Forward(Tensor history)
    {
        Tensor start = _parameters["tower.start"].expand(1, history.shape[1], -1);
        Tensor x = Norm("tower.input_norm", Dropout(cat([start, history])));
        for (int i = 0; i < _layers; i++)
        {
            x = Block($"tower.block{i}", x, last: i == _layers - 1);
        }

        return x;
    }

    private Tensor Block(string name, Tensor x, bool last)
    {
        Tensor mixed = Dropout(Recurrence($"{name}.lru", Norm($"{name}.mix_norm", x), last));
        Tensor h = mixed.add(last ? x.select(0, -1) : x),
            y = Norm($"{name}.ffn_norm", h);
        Tensor gated = nn.functional.silu(Apply($"{name}.ffn.gate", y)).mul(Dropout(Apply($"{name}.ffn.up", y)));
        return h.add(Dropout(Apply($"{name}.ffn.down", gated)));
    }

    // The outputs of all steps, or of the last one only.
    private Tensor Recurrence(string name, Tensor x, bool last)
    {
        Tensor driven = view_as_complex(Apply($"{name}.input", x).view(x.shape[0], x.shape[1], -1, 2))
            .mul(_parameters[$"{name}.gamma_log"].exp());
        Tensor factor = exp(complex(_parameters[$"{name}.nu_log"].exp().neg(), _parameters[$"{name}.theta_log"].exp()));
        Tensor[] inputs = driven.unbind(0),
            states = new Tensor[inputs.Length];
        states[0] = inputs[0];
        for (int t = 1; t < inputs.Length; t++)
        {
            states[t] = addcmul(inputs[t], factor, states[t - 1], 1);
        }

        return Apply($"{name}.output", view_as_real(last ? states[^1] : stack(states)).flatten(-2));
    }

    private Tensor Norm(string name, Tensor x)
    {
        DeviceParameter gain = _parameters[$"{name}.gain"],
            bias = _parameters[$"{name}.bias"];
        return cat(
            [
                .. _increments.Select(at =>
                    nn.functional.layer_norm(
                        x.narrow(-1, at.Begin, at.Length),
                        [at.Length],
                        gain.narrow(0, at.Begin, at.Length),
                        bias.narrow(0, at.Begin, at.Length)
                    )
                ),
            ],
            -1
        );
    }

    private Tensor Apply(string name, Tensor x) =>
        nn.functional.linear(x, _parameters[$"{name}.weight"].mul(_masks[name]), _parameters[$"{name}.bias"]);

    private Tensor Dropout(Tensor x) => _dropout == 0 ? x : nn.functional.dropout(x, _dropout, training: true);

    private void Linear(string name, int[] inputs, int[] outputs)
    {
        Tensor mask = zeros(outputs[^1], inputs[^1]);
        for (int k = 0, begin = 0; k < outputs.Length; begin = outputs[k++])
        {
            mask.narrow(0, begin, outputs[k] - begin).narrow(1, 0, inputs[k]).fill_(1);
        }

        _masks.Add(name, mask);
        Declare($"{name}.weight", outputs[^1], inputs[^1]);
        Declare($"{name}.bias", outputs[^1]);
    }

    private void Declare(string name, params long[] shape) => _parameters.Add(name, new DeviceParameter(zeros(shape)));
}
