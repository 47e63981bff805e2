using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>Source of Rows.cuh: where the vectors of items are. Addresses that are 0 are not there.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RowSource
{
    /// <summary>[rows × D].</summary>
    public nint Table;

    /// <summary>[entries] int32: each entry's row of the table, <see cref="ItemKernels.Absent"/> for zeros; 0: entry e is row e.</summary>
    public nint Rows;

    /// <summary>[rows] float64: the logarithm of the decay already applied to each row; 0: nothing is missed.</summary>
    public nint Decayed;

    /// <summary>Float64 scalar: the logarithm of the decay so far.</summary>
    public nint Decay;

    /// <summary>[D] the vector that each sequence starts with; 0: every step is an entry.</summary>
    public nint Start;

    /// <summary>Steps of a sequence, the start included.</summary>
    public int Steps;
}
