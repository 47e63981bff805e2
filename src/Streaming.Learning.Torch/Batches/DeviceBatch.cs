using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>A batch on the device. Items are slots into the step's distinct item rows.</summary>
/// <param name="ItemRows">[U] int64: rows of the item table, each once.</param>
/// <param name="StepSlots">[S·T] int64: at each step 0 for the start vector (and for padding), or an item's slot + 1.</param>
/// <param name="Steps">T.</param>
/// <param name="Predictions">[B] int64: rows of <paramref name="StepSlots"/>.</param>
/// <param name="CandidateSlots">[G] int64: slots of the candidates, the positives first.</param>
/// <param name="CandidateRows">[G] int64: the item rows that mask them; −1 where nothing does.</param>
/// <param name="CandidateLogQ">[G] float32.</param>
/// <param name="Shares">[B] float64: weight of each prediction over the sum of all; all zero when that sum is 0.</param>
internal sealed record DeviceBatch(
    Tensor ItemRows,
    Tensor StepSlots,
    long Steps,
    Tensor Predictions,
    Tensor CandidateSlots,
    Tensor CandidateRows,
    Tensor CandidateLogQ,
    Tensor Shares);
