using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Items;

/// <summary>Rows of a table by number, with a gradient that does not depend on the order in which a card adds.</summary>
internal static class RowGather
{
    /// <summary>[n × D] of [rows × D].</summary>
    /// <remarks>The gradient of an index sorts the numbers and adds each row's in their order; that of index_select adds
    /// atomically, in another order every time.</remarks>
    public static Tensor Gather(this Tensor table, Tensor rows) => table[TensorIndex.Tensor(rows)];
}
