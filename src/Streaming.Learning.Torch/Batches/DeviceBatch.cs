using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>A batch on the device. Items are slots into the step's distinct item rows.</summary>
/// <param name="ItemRows">[U] int64: distinct rows of the item table.</param>
/// <param name="HistorySlots">[S × (T − 1)] int64: slots of the histories' items, without the start vector's step; arbitrary
/// after the end.</param>
/// <param name="Predictions">[B] int64: rows of the steps [S · T].</param>
/// <param name="CandidateSlots">[G] int64: slots of the candidates, the positives first.</param>
/// <param name="CandidateRows">[G] int64: the item rows that mask them; −1 where none does.</param>
/// <param name="CandidateLogQ">[G] float32: ln p of the stream.</param>
/// <param name="Shares">[B] float64: weight of each prediction over the sum of all; all zero when that sum is 0.</param>
/// <param name="DrawnFrom">Number of items from which the candidates after the positives were drawn; 0: no mixture.</param>
internal sealed record DeviceBatch(
    Tensor ItemRows,
    Tensor HistorySlots,
    Tensor Predictions,
    Tensor CandidateSlots,
    Tensor CandidateRows,
    Tensor CandidateLogQ,
    Tensor Shares,
    int DrawnFrom = 0
);
