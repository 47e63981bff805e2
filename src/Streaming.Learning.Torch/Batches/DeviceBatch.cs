using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>
/// A batch on the device. From the <see cref="SlotUploader"/> items are int64 slots into the step's distinct item rows, from the
/// <see cref="RowUploader"/> int32 item rows.
/// </summary>
/// <param name="ItemRows">[U] distinct rows of the item table; from the RowUploader [N], the rows of all histories, then of all
/// candidates.</param>
/// <param name="HistorySlots">[S × (T − 1)]: the histories' items, without the start vector's step; after the end arbitrary, from the
/// RowUploader absent.</param>
/// <param name="Predictions">[B] int64: rows of the steps [S · T].</param>
/// <param name="CandidateSlots">[G]: the candidates, the positives first.</param>
/// <param name="CandidateRows">[G] int64: the item rows that mask them; −1 where none does.</param>
/// <param name="CandidateLogQ">[G] float32: ln p of the stream.</param>
/// <param name="Shares">[B] float64: weight of each prediction over the sum of all; all zero when that sum is 0.</param>
/// <param name="DrawnFrom">Number of items from which the candidates after the positives were drawn; 0: no mixture.</param>
/// <param name="MostRows">From the RowUploader, a number that the distinct rows do not exceed.</param>
internal sealed record DeviceBatch(
    Tensor ItemRows,
    Tensor HistorySlots,
    Tensor Predictions,
    Tensor CandidateSlots,
    Tensor CandidateRows,
    Tensor CandidateLogQ,
    Tensor Shares,
    int DrawnFrom = 0,
    int MostRows = 0
)
{
    /// <summary>Gets T, steps of the longest sequence with its start.</summary>
    public int Steps => (int)HistorySlots.shape[1] + 1;
}
