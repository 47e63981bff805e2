using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>Rows of a table by index, with a gradient that does not depend on the order in which a GPU adds.</summary>
internal static class RowGather
{
    /// <summary>[n × D] of [rows × D].</summary>
    /// <remarks>The gradient of an index sorts the indices and adds each row's values in their order; that of index_select adds
    /// atomically, in a different order every time.</remarks>
    public static Tensor Gather(this Tensor table, Tensor rows) => table[TensorIndex.Tensor(rows)];
}
