using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Norms;

/// <summary>
/// The rows that <see cref="NormKernel{T}"/> computes together: four, or one taken four times. A remaining row thus goes
/// through the same instructions and gets the same bits as in a group.
/// </summary>
/// <param name="First">Number of the first row.</param>
/// <param name="IsOne">Whether it is a single row.</param>
internal readonly record struct NormRows(int First, bool IsOne)
{
    private const int RowsAhead = 8;
    private const int LineFloats = 16;

    /// <summary>Gets the number of rows.</summary>
    public int Count => IsOne ? 1 : 4;

    /// <summary>The group that starts at a row.</summary>
    /// <param name="row">First row.</param>
    /// <param name="end">End of all rows.</param>
    public static NormRows At(int row, int end) => new(row, end - row < 4);

    /// <summary>Distance between rows of the group.</summary>
    /// <param name="length">Length of a row.</param>
    public nint Stride(int length) => IsOne ? 0 : length;

    /// <summary>Prefetches the upcoming rows of a matrix that has left the caches.</summary>
    /// <param name="matrix">[rows × D]; used only to form addresses, which may lie beyond its end: a prefetch does not fault.</param>
    /// <param name="dimension">D.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(ref float matrix, int dimension)
    {
        if (Sse.IsSupported)
        {
            float* start = (float*)Unsafe.AsPointer(ref matrix) + ((nint)(First + RowsAhead) * dimension);
            for (int i = 0; i < Count * dimension; i += LineFloats)
            {
                Sse.Prefetch0(start + i);
            }
        }
    }
}
