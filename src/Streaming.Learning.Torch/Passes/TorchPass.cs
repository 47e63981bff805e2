using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Batches;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Towers;
using Streaming.Models.Batches;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Passes;

/// <summary>The passes by torch's operations, with autograd.</summary>
internal sealed class TorchPass(SlotUploader uploader, ItemModule items, TowerModule tower) : IEncoderPass
{
    private DeviceBatch? _batch;
    private Tensor? _ids;
    private Tensor? _users;
    private Tensor? _candidates;

    /// <inheritdoc/>
    public DeviceBatch Upload(in TrainingBatch batch) => uploader.Upload(batch);

    /// <inheritdoc/>
    public (Tensor Users, Tensor Candidates) Forward(DeviceBatch batch)
    {
        _batch = batch;
        _ids = items.IdVectors(batch.ItemRows)?.requires_grad_();
        Tensor encoded = items.forward(batch.ItemRows, _ids);
        _candidates = encoded.Gather(batch.CandidateSlots);
        _users = tower.Choose(tower.forward(Input(batch, encoded)), _candidates.narrow(0, 0, batch.Shares.shape[0]));
        return (_users, _candidates);
    }

    /// <inheritdoc/>
    public RowGradients? Backward(Tensor users, Tensor candidates)
    {
        autograd.backward([_users!, _candidates!], [users, candidates]);

        // A tensor of this pass's scope, as the gradient is.
        return _ids is null ? null : new RowGradients(_batch!.ItemRows.alias(), _ids.grad!);
    }

    /// <inheritdoc/>
    public Tensor Encode(in JaggedRows sequences)
    {
        DeviceBatch batch = uploader.Upload(sequences);
        return tower.forward(Input(batch, items.forward(batch.ItemRows, items.IdVectors(batch.ItemRows))));
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private TowerInput Input(DeviceBatch batch, Tensor encoded)
    {
        Tensor vectors = encoded.Gather(batch.HistorySlots);
        Tensor steps = cat([tower.Start.expand(vectors.shape[0], 1, -1), vectors], 1);
        return new TowerInput(steps.view(-1, steps.shape[2]), steps.shape[1], batch.Predictions);
    }
}
