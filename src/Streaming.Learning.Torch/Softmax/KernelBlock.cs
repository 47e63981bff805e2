using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>Block of NestedSoftmax.cu: addresses of vectors, item rows, ln q and inverse lengths, with their number.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KernelBlock
{
    public nint Vectors;
    public nint Ids;
    public nint LogQ;
    public nint Inverses;
    public int Count;
    public int Stride;
}

/// <summary>Blocks of NestedSoftmax.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KernelBlocks
{
    /// <summary>Most blocks: two segments of the bank's ring, and the step's own.</summary>
    public const int Most = 3;

    public Array3 At;
    public int Count;

    [InlineArray(Most)]
    internal struct Array3
    {
        private KernelBlock _first;
    }
}
