using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>Item tower: projection of the features, plus the id embedding. The same vector is history input and candidate.</summary>
public sealed class ItemEncoder
{
    private readonly ItemRows _table;
    private readonly ItemProjection _projection;
    private readonly int _d;
    private readonly int _features;
    private readonly bool _hasIds;

    /// <summary>Creates the encoder.</summary>
    /// <param name="set">Receives the parameters of the projection.</param>
    /// <param name="table">Id embeddings and features of the items.</param>
    /// <param name="options">The model's options.</param>
    public ItemEncoder(ParameterSet set, ItemRows table, ModelOptions options)
    {
        _table = table;
        _projection = new ItemProjection(set, options);
        _d = options.Dimension;
        _features = options.FeatureLength;
        _hasIds = options.ItemIds;
    }

    /// <summary>Initial weights of the projection.</summary>
    public void Initialize(ulong seed, float scale) => _projection.Initialize(seed, scale);

    /// <summary>Floats of scratch that <see cref="Forward"/> and <see cref="Backward"/> need for the features of that many rows.</summary>
    public int Scratch(int rows) => rows * _features;

    /// <summary>Embeddings of rows [n × D].</summary>
    public void Forward(ReadOnlySpan<int> rows, Span<float> embeddings, Span<float> scratch)
    {
        Gather(rows, scratch);
        _projection.Forward(scratch, embeddings, rows.Length);
        for (int i = 0; _hasIds && i < rows.Length; i++)
        {
            _table.AddEmbedding(rows[i], embeddings.Slice(i * _d, _d));
        }
    }

    /// <summary>Adds the projection's gradients, given those of the embeddings [n × D]. The gradient of an id row is that of
    /// its embedding.</summary>
    public void Backward(ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients, Span<float> scratch, Lane lane)
    {
        Gather(rows, scratch);
        _projection.Backward(scratch, gradients, rows.Length, lane);
    }

    private void Gather(ReadOnlySpan<int> rows, Span<float> features)
    {
        for (int i = 0; _features > 0 && i < rows.Length; i++)
        {
            _table.Features.Row(rows[i]).CopyTo(features[(i * _features)..]);
        }
    }
}
