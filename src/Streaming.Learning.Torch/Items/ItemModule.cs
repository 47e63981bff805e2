using Streaming.Learning.Torch.State;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Items;

/// <summary>Item tower: e = features · W + b + id embedding.</summary>
internal sealed class ItemModule : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly DeviceItems _items;
    private readonly DeviceParameter? _weight;
    private readonly DeviceParameter? _bias;
    private readonly int _d;

    public ItemModule(DenseParameters dense, DeviceItems items, ModelOptions model)
        : base(nameof(ItemModule))
    {
        _items = items;
        _d = model.Dimension;
        HasIds = model.ItemIds;
        if (model.FeatureLength > 0)
        {
            _weight = dense["items.projection.weight"];
            _bias = dense["items.projection.bias"];
            register_parameter("weight", _weight);
            register_parameter("bias", _bias);
        }
    }

    /// <summary>Gets whether items have id embeddings.</summary>
    public bool HasIds { get; }

    /// <summary>Gets whether items have features.</summary>
    public bool HasFeatures => _weight is not null;

    /// <summary>Id embeddings of item rows [n × D]; null without ids.</summary>
    public Tensor? IdVectors(Tensor rows)
    {
        using IDisposable noGrad = no_grad();
        return HasIds ? _items.IdVectors(rows) : null;
    }

    /// <summary>Embeddings of item rows [n × D].</summary>
    /// <param name="rows">[n] int64.</param>
    /// <param name="idVectors">[n × D] their id embeddings, the leaf that accumulates their gradient; null without ids.</param>
    public override Tensor forward(Tensor rows, Tensor? idVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        if (_weight is null)
        {
            return (idVectors ?? zeros(rows.shape[0], _d, dtype: ScalarType.Float32, device: rows.device))
                .alias()
                .MoveToOuterDisposeScope();
        }

        Tensor projected = addmm(_bias!, _items.Features.index_select(0, rows), _weight, 1, 1);
        return (idVectors is null ? projected : projected.add(idVectors)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of the projection, where the forward pass ran without autograd.</summary>
    /// <param name="rows">[n] int64.</param>
    /// <param name="gradient">[n × D] by their embeddings.</param>
    public void AddGradients(Tensor rows, Tensor gradient)
    {
        if (_weight is null)
        {
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        _weight.grad!.addmm_(_items.Features.index_select(0, rows).t(), gradient);
        _bias!.grad!.add_(gradient.sum(dim: 0));
    }
}
