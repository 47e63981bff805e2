using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Modules;

/// <summary>A LayerNorm per increment, so that later columns cannot affect earlier ones.</summary>
/// <remarks>
/// A LayerNorm of few columns occupies a whole GPU block per row, and there would be one per increment. Instead, sums and squares
/// are taken over groups of columns that divide all increments, and the rest is a product of [rows × groups] with the membership
/// matrix, in float64: TF32 would round the mean to three digits, and the difference of squares needs the precision.
/// </remarks>
internal sealed class IncrementNormModule : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-5;
    private readonly Increments _increments;
    private readonly long _group;
    private readonly DeviceParameter _gain;
    private readonly DeviceParameter _bias;

    // Group → increment [groups × K] as 1 / length, and increment → group [K × groups] as 1.
    private readonly Tensor _averages;
    private readonly Tensor _members;

    public IncrementNormModule(DenseParameters dense, string name, Increments increments)
        : base(nameof(IncrementNormModule))
    {
        _increments = increments;
        _group = Enumerable.Range(0, increments.Count).Select(k => (long)increments.Length(k)).Aggregate(Divisor);
        _gain = dense[$"{name}.gain"];
        _bias = dense[$"{name}.bias"];
        (_averages, _members) = Membership(_gain.device);
        register_parameter("gain", _gain);
        register_parameter("bias", _bias);
        register_buffer("averages", _averages);
        register_buffer("members", _members);
    }

    /// <summary>[rows × D] → [rows × D].</summary>
    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Shapes.Require(input, "input of a norm", input.shape[0], _increments.Dimension);
        Tensor groups = input.view(input.shape[0], -1, _group);
        Tensor mean = groups.sum(2).to_type(ScalarType.Float64).mm(_averages);
        Tensor square = groups.norm(2, false, 2).to_type(ScalarType.Float64).square().mm(_averages);
        Tensor scale = square.sub(mean.square()).clamp_min(0).add(Epsilon).rsqrt();
        Tensor shift = mean.mul(scale).neg();
        Tensor normal = Spread(shift).addcmul(groups, Spread(scale), 1).view(input.shape);
        return _bias.addcmul(normal, _gain, 1).MoveToOuterDisposeScope();
    }

    private static long Divisor(long a, long b) => b == 0 ? a : Divisor(b, a % b);

    // [rows × K] float64 → [rows × groups × 1] float32.
    private Tensor Spread(Tensor values) => values.mm(_members).to_type(ScalarType.Float32).unsqueeze(2);

    private (Tensor Averages, Tensor Members) Membership(Device device)
    {
        int groups = (int)(_increments.Dimension / _group);
        double[] averages = new double[groups * _increments.Count],
            members = new double[averages.Length];
        for (int k = 0; k < _increments.Count; k++)
        {
            for (long g = _increments.Start(k) / _group; g < _increments.End(k) / _group; g++)
            {
                averages[(g * _increments.Count) + k] = 1.0 / _increments.Length(k);
                members[(k * groups) + g] = 1;
            }
        }

        return (
            tensor(averages, [groups, _increments.Count], device: device).DetachFromDisposeScope(),
            tensor(members, [_increments.Count, groups], device: device).DetachFromDisposeScope()
        );
    }
}
