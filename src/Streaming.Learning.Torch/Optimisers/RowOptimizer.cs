using Streaming.Learning.Torch.Items;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>
/// Optimiser of the id embeddings: lazy Adam or row-wise Adagrad, only on the rows of a step, after applying what they missed while
/// idle (moments and weight decay).
/// </summary>
internal sealed class RowOptimizer
{
    private readonly DeviceItems _items;
    private readonly ModelOptions _model;

    public RowOptimizer(DeviceItems items, ModelOptions model)
    {
        _items = items;
        _model = model;
    }

    /// <summary>Applies one update. Call under <c>no_grad</c>.</summary>
    /// <param name="gate">The step.</param>
    /// <param name="rows">[n] int64, each once.</param>
    /// <param name="gradients">[n × D].</param>
    /// <param name="learningRate">Of this step.</param>
    public void Update(UpdateGate gate, Tensor rows, Tensor gradients, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor stored = _items.Embeddings.index_select(0, rows);
        Tensor clean = gate.Clean(gradients);
        double keep = 1 - (learningRate * _model.IdWeightDecay);
        Tensor values = stored
            .mul(_items.MissedDecay(rows))
            .mul_(keep)
            .sub_(_items.Adam ? AdamStep(gate, rows, clean, learningRate) : AdagradStep(gate, rows, clean, learningRate));
        _items.Embeddings.index_copy_(0, rows, where(gate.Applies, values, stored));
        Tensor decay = _items.LogDecay.add(Math.Log(keep));
        Tensor decays = _items.LogDecays.index_select(0, rows);
        _items.LogDecays.index_copy_(0, rows, where(gate.Applies, decay, decays));
        Tensor updated = _items.Updated.index_select(0, rows);
        _items.Updated.index_copy_(0, rows, where(gate.Applies, gate.Update.to_type(ScalarType.Int64), updated));
        gate.Write(_items.LogDecay, decay);
    }

    private Tensor AdamStep(UpdateGate gate, Tensor rows, Tensor gradients, double learningRate)
    {
        // Idle steps as a power of β: exact when there were none.
        Tensor idle = gate.Update.sub(1).sub(_items.Updated.index_select(0, rows)).clamp_min(0).unsqueeze(1);
        Tensor storedFirst = _items.FirstMoments.index_select(0, rows);
        Tensor storedSecond = _items.SecondMoments.index_select(0, rows);
        Tensor first = storedFirst.mul(Power(_model.Beta1, idle)).mul_(_model.Beta1).add_(gradients, 1 - (double)_model.Beta1);
        Tensor second = storedSecond
            .mul(Power(_model.Beta2, idle))
            .mul_(_model.Beta2)
            .addcmul_(gradients, gradients, 1 - (double)_model.Beta2);
        _items.FirstMoments.index_copy_(0, rows, where(gate.Applies, first, storedFirst));
        _items.SecondMoments.index_copy_(0, rows, where(gate.Applies, second, storedSecond));
        Tensor root = second.div_(gate.Correction(_model.Beta2)).sqrt_().add_(_model.Epsilon);
        return first.div_(gate.Correction(_model.Beta1)).div_(root).mul_(learningRate);
    }

    private Tensor AdagradStep(UpdateGate gate, Tensor rows, Tensor gradients, double learningRate)
    {
        Tensor stored = _items.SecondMoments.index_select(0, rows);
        Tensor accumulated = stored.add(gradients.square().mean([1], keepdim: true));
        _items.SecondMoments.index_copy_(0, rows, where(gate.Applies, accumulated, stored));
        return gradients.div(accumulated.sqrt_().add_(_model.Epsilon)).mul_(learningRate);
    }

    private static Tensor Power(double beta, Tensor exponents) =>
        exponents.mul(Math.Log(Math.Max(beta, double.Epsilon))).exp_().to_type(ScalarType.Float32);
}
