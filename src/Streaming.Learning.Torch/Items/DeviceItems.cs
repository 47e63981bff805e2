using Streaming.Learning.Engine;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>
/// The state per item row, on the device: id embedding, its optimiser state, frozen features. Idle rows cost nothing; their
/// missed weight decay is a factor that is applied when a row is read.
/// </summary>
internal sealed class DeviceItems : IDisposable
{
    // Maximum rows set on the host before they are copied together.
    private const int MostPending = 8192;

    private readonly ModelOptions _model;
    private readonly Device _device;
    private readonly RowWrites _freshRows;
    private readonly RowWrites _featureRows;

    public DeviceItems(ModelOptions model, Device device)
    {
        _model = model;
        _device = device;
        _freshRows = new RowWrites(model.Dimension);
        _featureRows = new RowWrites(model.FeatureLength);
        long rows = model.ItemCapacity,
            ids = model.ItemIds ? rows : 0,
            d = model.Dimension;
        Adam = model.IdOptimizer == IdOptimizer.LazyAdam;
        using DisposeScope scope = NewDisposeScope();
        Embeddings = Zeros(ScalarType.Float32, ids, d);
        FirstMoments = Zeros(ScalarType.Float32, Adam ? ids : 0, d);
        SecondMoments = Zeros(ScalarType.Float32, ids, Adam ? d : 1);
        Features = Zeros(ScalarType.Float32, rows, model.FeatureLength);
        Updated = Zeros(ScalarType.Int64, ids);
        LogDecays = Zeros(ScalarType.Float64, ids);
        LogDecay = Zeros(ScalarType.Float64);
        Updates = Zeros(ScalarType.Float64);
    }

    /// <summary>Gets the id embeddings [capacity × D].</summary>
    public Tensor Embeddings { get; }

    /// <summary>Gets Adam's first moments [capacity × D], or none.</summary>
    public Tensor FirstMoments { get; }

    /// <summary>Gets Adam's second moments [capacity × D], or Adagrad's accumulators [capacity × 1].</summary>
    public Tensor SecondMoments { get; }

    /// <summary>Gets the frozen features [capacity × F].</summary>
    public Tensor Features { get; }

    /// <summary>Gets the update number of each row's last update [capacity], int64.</summary>
    public Tensor Updated { get; }

    /// <summary>Gets the value of <see cref="LogDecay"/> already applied to each row's embedding [capacity], float64.</summary>
    public Tensor LogDecays { get; }

    /// <summary>Gets Σ ln(1 − learning rate · decay) over all updates, a float64 scalar.</summary>
    public Tensor LogDecay { get; }

    /// <summary>Gets the number of updates so far, a float64 scalar.</summary>
    public Tensor Updates { get; }

    /// <summary>Gets whether rows have Adam's moments.</summary>
    public bool Adam { get; }

    /// <summary>Gets one above the highest row ever used.</summary>
    public int Used { get; set; }

    /// <summary>Resets a row for a new item.</summary>
    public void Initialize(int row, ulong itemKey)
    {
        Used = Math.Max(Used, row + 1);
        if (_model.ItemIds)
        {
            ItemInitializer.Fill(_model.Seed, itemKey, _model.ItemDeviation, _freshRows.Row(row));
        }

        _featureRows.Row(row).Clear();
        FlushIfMany();
    }

    /// <summary>Sets a row's features.</summary>
    public void SetFeatures(int row, ReadOnlySpan<float> features)
    {
        Used = Math.Max(Used, row + 1);
        features.CopyTo(_featureRows.Row(row));
        FlushIfMany();
    }

    /// <summary>Copies pending rows to the device; call before the tables are read or updated.</summary>
    public void Flush()
    {
        if (_freshRows.Rows.Count == 0 && _featureRows.Rows.Count == 0)
        {
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        using (no_grad())
        {
            if (_featureRows.Rows.Count > 0 && _model.FeatureLength > 0)
            {
                (Tensor index, Tensor values) = _featureRows.Upload(_device);
                Features.index_copy_(0, index, values);
            }

            if (_freshRows.Rows.Count > 0)
            {
                (Tensor index, Tensor values) = _freshRows.Upload(_device);
                Embeddings.index_copy_(0, index, values);
                SecondMoments.index_fill_(0, index, 0);
                if (Adam)
                {
                    FirstMoments.index_fill_(0, index, 0);
                }

                Updated.index_copy_(0, index, Updates.to_type(ScalarType.Int64).expand(index.shape[0]));
                LogDecays.index_copy_(0, index, LogDecay.expand(index.shape[0]));
            }
        }

        _freshRows.Clear();
        _featureRows.Clear();
    }

    /// <summary>Drops pending rows: the tables are about to be replaced.</summary>
    public void Reset()
    {
        _freshRows.Clear();
        _featureRows.Clear();
        Used = 0;
    }

    /// <summary>Id embeddings of rows, fully decayed [n × D]. Call under <c>no_grad</c>.</summary>
    public Tensor IdVectors(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        return Embeddings.index_select(0, rows).mul_(MissedDecay(rows)).MoveToOuterDisposeScope();
    }

    /// <summary>Decay missed by rows while idle, as a factor [n × 1].</summary>
    public Tensor MissedDecay(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        return LogDecay.sub(LogDecays.index_select(0, rows)).exp_().to_type(ScalarType.Float32).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Embeddings.Dispose();
        FirstMoments.Dispose();
        SecondMoments.Dispose();
        Features.Dispose();
        Updated.Dispose();
        LogDecays.Dispose();
        LogDecay.Dispose();
        Updates.Dispose();
        _freshRows.Dispose();
        _featureRows.Dispose();
    }

    private Tensor Zeros(ScalarType type, params long[] shape) => zeros(shape, dtype: type, device: _device).DetachFromDisposeScope();

    private void FlushIfMany()
    {
        if (_featureRows.Rows.Count >= MostPending)
        {
            Flush();
        }
    }
}
