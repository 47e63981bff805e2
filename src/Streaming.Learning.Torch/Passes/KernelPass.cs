using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Batches;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Fused;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Towers;
using Streaming.Models.Batches;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Passes;

/// <summary>
/// The passes by kernels. Ids are read where the item table has them; with features, each distinct item is encoded first. A tower
/// without kernels runs as its module, with autograd.
/// </summary>
internal sealed class KernelPass : IEncoderPass
{
    private readonly RowUploader _uploader;
    private readonly RowCalls _calls;
    private readonly DeviceItems _items;
    private readonly ItemModule _itemModule;
    private readonly TowerModule _tower;
    private readonly FusedFmrlRec? _fused;
    private readonly FusedParameter _start;
    private DeviceBatch? _batch;
    private StepRows? _rows;
    private Tensor? _steps;
    private Tensor? _users;

    /// <summary>Creates the passes, which dispose uploader and kernels' tower.</summary>
    /// <param name="uploader">Uploads item rows.</param>
    /// <param name="calls">Kernels of the item rows.</param>
    /// <param name="items">The item table.</param>
    /// <param name="itemModule">Encodes items with features.</param>
    /// <param name="tower">The tower's module.</param>
    /// <param name="fused">The tower's kernels, or null to run the module.</param>
    /// <param name="dense">Parameters.</param>
    public KernelPass(
        RowUploader uploader,
        RowCalls calls,
        DeviceItems items,
        ItemModule itemModule,
        TowerModule tower,
        FusedFmrlRec? fused,
        DenseParameters dense
    )
    {
        (_uploader, _calls, _items, _itemModule, _tower, _fused) = (uploader, calls, items, itemModule, tower, fused);
        _start = new FusedParameter(dense, "tower.start");
    }

    /// <inheritdoc/>
    public DeviceBatch Upload(in TrainingBatch batch) => _uploader.Upload(batch);

    /// <inheritdoc/>
    public (Tensor Users, Tensor Candidates) Forward(DeviceBatch batch)
    {
        RowSource source = Source(batch);
        Tensor candidates = Candidates(source, batch);
        Tensor outputs = RunTower(source, batch);
        _users = _tower.Choose(outputs, candidates.narrow(0, 0, batch.Shares.shape[0]));
        return (_users, candidates);
    }

    /// <inheritdoc/>
    public RowGradients? Backward(Tensor users, Tensor candidates)
    {
        Tensor steps = BackThroughTower(users);
        using IDisposable noGrad = no_grad();
        long sequences = _batch!.HistorySlots.shape[0];
        _start.Gradient.add_(steps.view(sequences, _batch.Steps, -1).select(1, 0).sum(dim: 0));
        StepRows rows = _rows ??= _calls.Number(_batch.ItemRows, _batch.MostRows);
        Tensor sums = _calls.Sum(rows, steps, candidates, sequences);
        _itemModule.AddGradients(rows.Distinct, sums);
        return _itemModule.HasIds ? new RowGradients(rows.Distinct, sums, rows.Count) : null;
    }

    /// <inheritdoc/>
    public Tensor Encode(in JaggedRows sequences)
    {
        DeviceBatch batch = _uploader.Upload(sequences);
        return RunTower(Source(batch), batch);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _uploader.Dispose();
        _fused?.Dispose();
        _start.Dispose();
    }

    // Of the histories' steps.
    private RowSource Source(DeviceBatch batch)
    {
        using IDisposable noGrad = no_grad();
        (_batch, _rows) = (batch, null);
        var source = new RowSource { Start = KernelCall.Address(_start.Value), Steps = batch.Steps };
        if (!_itemModule.HasFeatures)
        {
            return source with
            {
                Table = KernelCall.Address(_items.Embeddings),
                Rows = KernelCall.Address(batch.ItemRows),
                Decayed = KernelCall.Address(_items.LogDecays),
                Decay = KernelCall.Address(_items.LogDecay),
            };
        }

        if (batch.MostRows == 0)
        {
            return source;
        }

        _rows = _calls.Number(batch.ItemRows, batch.MostRows);
        Tensor encoded = _itemModule.forward(_rows.Distinct, _itemModule.IdVectors(_rows.Distinct));
        return source with { Table = KernelCall.Address(encoded), Rows = KernelCall.Address(_rows.Slots) };
    }

    // They follow the histories' items.
    private Tensor Candidates(RowSource source, DeviceBatch batch)
    {
        using IDisposable noGrad = no_grad();
        nint rows = source.Rows + ((nint)batch.HistorySlots.NumberOfElements * sizeof(int));
        return _calls.Gather(source with { Rows = rows, Start = 0 }, batch.CandidateSlots.shape[0], batch.Predictions.device);
    }

    private Tensor RunTower(RowSource source, DeviceBatch batch)
    {
        long rows = batch.HistorySlots.shape[0] * batch.Steps;
        using (no_grad())
        {
            if (_fused is not null)
            {
                return _fused.Forward(source, (int)rows, batch.Steps, batch.Predictions);
            }

            _steps = _calls.Gather(source, rows, batch.Predictions.device);
        }

        return _tower.forward(new TowerInput(_steps.requires_grad_(), batch.Steps, batch.Predictions));
    }

    // The gradient by the steps.
    private Tensor BackThroughTower(Tensor users)
    {
        if (_fused is null)
        {
            autograd.backward([_users!], [users]);
            return _steps!.grad!.contiguous();
        }

        using IDisposable noGrad = no_grad();
        return _fused.Backward(users);
    }
}
