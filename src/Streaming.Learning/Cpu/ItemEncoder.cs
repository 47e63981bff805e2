using System.Numerics.Tensors;
using Streaming.Kernels;

namespace Streaming.Learning;

/// <summary>Item tower: e = features · W + b + id embedding. The same vector is history input and candidate.</summary>
internal sealed class ItemEncoder
{
    private readonly ParameterSet _set;
    private readonly ItemRows _table;
    private readonly Parameter? _weight;
    private readonly Parameter? _bias;
    private readonly int _d;
    private readonly int _features;
    private readonly bool _ids;

    public ItemEncoder(ParameterSet set, ItemRows table, ModelOptions options)
    {
        _set = set;
        _table = table;
        _d = options.Dimension;
        _features = options.FeatureLength;
        _ids = options.ItemIds;
        if (_features > 0)
        {
            _weight = set.Add("items.projection.weight", decays: true, _features, _d);
            _bias = set.Add("items.projection.bias", decays: false, _d);
        }
    }

    /// <summary>Weights of deviation scale / √F, bias zero.</summary>
    public void Initialize(ulong seed, float scale)
    {
        if (_weight is not null)
        {
            Gaussian.For(seed, _weight.Name).Fill(_set.Value(_weight), scale / Math.Sqrt(_features));
        }
    }

    /// <summary>Floats that <see cref="Forward"/> and <see cref="Backward"/> need for gathered features of so many rows.</summary>
    public int Scratch(int rows) => rows * _features;

    /// <summary>Embeddings of rows [n × D].</summary>
    public void Forward(ReadOnlySpan<int> rows, Span<float> embeddings, Span<float> scratch)
    {
        if (_weight is null)
        {
            embeddings.Clear();
        }
        else
        {
            Gather(rows, scratch);
            var bias = _set.Value(_bias!);
            for (int i = 0; i < rows.Length; i++)
            {
                bias.CopyTo(embeddings.Slice(i * _d, _d));
            }

            Gemm.Multiply(rows.Length, _d, _features, scratch, _features, _set.Value(_weight), _d, embeddings, _d, accumulate: true);
        }

        for (int i = 0; _ids && i < rows.Length; i++)
        {
            _table.AddEmbedding(rows[i], embeddings.Slice(i * _d, _d));
        }
    }

    /// <summary>Gradients of the projection from those of the embeddings [n × D]. That of an id row is the embedding's own.</summary>
    public void Backward(ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients, Span<float> scratch, Lane lane)
    {
        if (_weight is null)
        {
            return;
        }

        Gather(rows, scratch);
        Gemm.MultiplyTransposeA(_features, _d, rows.Length, scratch, _features, gradients, _d, lane.Gradient(_weight), _d, accumulate: true);
        var bias = lane.Gradient(_bias!);
        for (int i = 0; i < rows.Length; i++)
        {
            TensorPrimitives.Add(bias, gradients.Slice(i * _d, _d), bias);
        }
    }

    private void Gather(ReadOnlySpan<int> rows, Span<float> features)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            _table.Features.Row(rows[i]).CopyTo(features[(i * _features)..]);
        }
    }
}
