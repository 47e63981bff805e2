using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>Which entries of a step are the same item row, as the kernels found; numbers are in the order of the rows.</summary>
/// <param name="Keys">[N] int64: row and number of each entry, sorted.</param>
/// <param name="Numbers">[N] int32: of the sorted entries, one above the number of the row.</param>
/// <param name="Slots">[N] int32: by entry, the number of its row.</param>
/// <param name="Distinct">[most] int64: the rows by number, then zeros.</param>
/// <param name="Begins">[most + 1] int32: the first sorted entry of each row, and the end of the last.</param>
/// <param name="Count">Int32 scalar: the number of rows.</param>
internal sealed record StepRows(Tensor Keys, Tensor Numbers, Tensor Slots, Tensor Distinct, Tensor Begins, Tensor Count);
