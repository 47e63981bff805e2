using Streaming.Learning.Torch.State;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>AdamW [Loshchilov and Hutter 2019] over all dense parameters at once, as in the CPU kernels.</summary>
internal sealed class DenseAdamW
{
    private readonly DenseParameters _dense;
    private readonly ModelOptions _model;

    public DenseAdamW(DenseParameters dense, ModelOptions model)
    {
        _dense = dense;
        _model = model;
    }

    /// <summary>Applies one update. Call under <c>no_grad</c>.</summary>
    public void Update(UpdateGate gate, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor gradients = gate.Clean(_dense.Gradients);
        Tensor first = _dense.FirstMoments.mul(_model.Beta1).add_(gradients, 1 - (double)_model.Beta1);
        Tensor second = _dense.SecondMoments.mul(_model.Beta2).addcmul_(gradients, gradients, 1 - (double)_model.Beta2);
        Tensor root = second.div(gate.Correction(_model.Beta2)).sqrt_().add_(_model.Epsilon);
        Tensor kept = _dense.DecayMask.mul(-learningRate * _model.WeightDecay).add_(1).mul_(_dense.Values);
        Tensor values = kept.sub_(first.div(gate.Correction(_model.Beta1)).div_(root).mul_(learningRate));
        gate.Write(_dense.Values, values);
        gate.Write(_dense.FirstMoments, first);
        gate.Write(_dense.SecondMoments, second);
    }
}
