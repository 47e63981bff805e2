using Streaming.Kernels.Linear;
using Streaming.Kernels.Norms;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Models.Layers;

/// <summary>Projection of an item's features: e = features · W + b, W [F × D]. Its first w columns are those of a narrower model.</summary>
public sealed class ItemProjection
{
    private readonly ParameterSet _set;
    private readonly Parameter? _weight;
    private readonly Parameter? _bias;
    private readonly int _d;
    private readonly int _features;

    /// <summary>Creates the projection.</summary>
    /// <param name="set">Receives its parameters.</param>
    /// <param name="options">The model's options.</param>
    public ItemProjection(ParameterSet set, ModelOptions options)
    {
        _set = set;
        _d = options.Dimension;
        _features = options.FeatureLength;
        if (_features > 0)
        {
            _weight = set.Add("items.projection.weight", decays: true, _features, _d);
            _bias = set.Add("items.projection.bias", decays: false, _d);
        }
    }

    /// <summary>Weights with standard deviation scale / √F, zero bias.</summary>
    public void Initialize(ulong seed, float scale)
    {
        if (_weight is not null)
        {
            Gaussian.For(seed, _weight.Name).Fill(_set.Value(_weight), scale / Math.Sqrt(_features));
        }
    }

    /// <summary>embeddings [rows × D] = features [rows × F] · W + b; zero without features.</summary>
    public void Forward(ReadOnlySpan<float> features, Span<float> embeddings, int rows)
    {
        if (_weight is null)
        {
            embeddings.Clear();
            return;
        }

        for (int i = 0; i < rows; i++)
        {
            _set.Value(_bias!).CopyTo(embeddings.Slice(i * _d, _d));
        }

        Gemm.Multiply(rows, _d, _features, features, _features, _set.Value(_weight), _d, embeddings, _d, accumulate: true);
    }

    /// <summary>Adds the gradients of W and b to the lane; features [rows × F], gradients [rows × D].</summary>
    public void Backward(ReadOnlySpan<float> features, ReadOnlySpan<float> gradients, int rows, Lane lane)
    {
        if (_weight is null)
        {
            return;
        }

        Gemm.MultiplyTransposeA(_features, _d, rows, features, _features, gradients, _d, lane.Gradient(_weight), _d, accumulate: true);
        ColumnSums.Add(gradients[..(rows * _d)], lane.Gradient(_bias!));
    }
}
