using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>Products with a panel that may have fewer than 32 columns.</summary>
internal static class GemmEdge<T>
    where T : struct, ISimd<T>
{
    private const int Columns = GemmKernel<T>.Columns;
    private const int Rows = 8;
    private static readonly float[] ZeroRow = new float[Columns];

    [ThreadStatic]
    private static float[]? _buffer;

    /// <summary>Gets 32 zeros: the start value of sums when C is overwritten.</summary>
    public static ref float Zeros => ref MemoryMarshal.GetArrayDataReference(ZeroRow);

    /// <summary><see cref="GemmKernel{T}.Multiply"/> for the first <paramref name="columns"/> columns of the panel.</summary>
    /// <remarks>Fewer than 32 columns go through a small buffer, so nothing beyond the rows of C and start is touched.</remarks>
    public static void Multiply(
        in GemmOperand a,
        ref float first,
        ref float panel,
        ref float c,
        nint ldc,
        ref float start,
        nint startStride,
        int rows,
        int depth,
        int columns
    )
    {
        if (columns == Columns)
        {
            GemmKernel<T>.Multiply(in a, ref first, ref panel, ref c, ldc, ref start, startStride, rows, depth);
            return;
        }

        Span<float> buffer = _buffer ??= new float[Rows * Columns];
        for (int row = 0; row < rows; row += Rows)
        {
            int count = Math.Min(Rows, rows - row);
            for (int i = 0; i < count; i++)
            {
                MemoryMarshal
                    .CreateReadOnlySpan(ref Unsafe.Add(ref start, (row + i) * startStride), columns)
                    .CopyTo(buffer[(i * Columns)..]);
            }

            GemmKernel<T>.Multiply(
                in a,
                ref Unsafe.Add(ref first, row * a.RowStride),
                ref panel,
                ref buffer[0],
                Columns,
                ref buffer[0],
                Columns,
                count,
                depth
            );
            for (int i = 0; i < count; i++)
            {
                buffer.Slice(i * Columns, columns).CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref c, (row + i) * ldc), columns));
            }
        }
    }
}
