using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Linear;

/// <summary>A matrix in panels of 32 columns, each storing one contiguous range of rows [depth × 32]; all other values are zero.</summary>
internal sealed class NestedPanels
{
    private const int Width = GemmKernel<SimdScalar>.Columns;

    // 256 rows of a panel are 32 KB, an L1 cache; 64 rows of X then stay in cache while the panels stream past.
    private const int DepthBlock = 256;
    private const int RowBlock = 64;

    private readonly int _columns;
    private readonly int[] _begin;
    private readonly int[] _depth;
    private readonly int[] _offset;
    private AlignedFloats _values = new(0);

    public NestedPanels(int columns)
    {
        _columns = columns;
        int count = (columns + Width - 1) / Width;
        (_begin, _depth, _offset) = (new int[count], new int[count], new int[count]);
    }

    /// <summary>Gets the number of panels.</summary>
    public int Count => _begin.Length;

    /// <summary>A value of the matrix; it must lie in its panel's range.</summary>
    public ref float this[int row, int column]
    {
        get
        {
            int panel = column / Width;
            return ref _values.Span[_offset[panel] + ((row - _begin[panel]) * Width) + (column % Width)];
        }
    }

    /// <summary>Sets the values of a row, starting at a column.</summary>
    public void SetRow(int row, int column, ReadOnlySpan<float> values)
    {
        while (!values.IsEmpty)
        {
            int count = Math.Min(values.Length, Width - (column % Width));
            values[..count].CopyTo(MemoryMarshal.CreateSpan(ref this[row, column], count));
            values = values[count..];
            column += count;
        }
    }

    /// <summary>First column of a panel.</summary>
    public static int Begin(int panel) => panel * Width;

    /// <summary>Column after the last one of a panel.</summary>
    public int End(int panel) => Math.Min(_columns, (panel + 1) * Width);

    /// <summary>Sets the row range of a panel; call once per panel, in order.</summary>
    public void Set(int panel, int begin, int depth)
    {
        _begin[panel] = begin;
        _depth[panel] = depth;
        _offset[panel] = panel == 0 ? 0 : _offset[panel - 1] + (_depth[panel - 1] * Width);
        if (panel == Count - 1)
        {
            _values = new AlignedFloats(_offset[panel] + (depth * Width));
        }
    }

    /// <summary>Y [rows × columns] = start + X · this, where start is Y itself, one row for all, or zero.</summary>
    public void Multiply(ReadOnlySpan<float> x, int ldx, Span<float> y, ReadOnlySpan<float> start, bool accumulate, int rows)
    {
        if (Simd512.IsSupported)
        {
            Multiply<Simd512>(x, ldx, y, start, accumulate, rows);
        }
        else if (Simd256.IsSupported)
        {
            Multiply<Simd256>(x, ldx, y, start, accumulate, rows);
        }
        else if (Simd128.IsSupported)
        {
            Multiply<Simd128>(x, ldx, y, start, accumulate, rows);
        }
        else
        {
            Multiply<SimdScalar>(x, ldx, y, start, accumulate, rows);
        }
    }

    private void Multiply<T>(ReadOnlySpan<float> x, int ldx, Span<float> y, ReadOnlySpan<float> start, bool accumulate, int rows)
        where T : struct, ISimd<T>
    {
        var operand = new GemmOperand(x, ldx, 1);
        for (int row = 0; row < rows; row += RowBlock)
        {
            int count = Math.Min(RowBlock, rows - row);
            for (int panel = 0; panel < Count; panel++)
            {
                for (int depth = 0; depth < _depth[panel]; depth += DepthBlock)
                {
                    ref float first = ref Unsafe.Add(ref MemoryMarshal.GetReference(x), ((nint)row * ldx) + _begin[panel] + depth);
                    ref float c = ref Unsafe.Add(ref MemoryMarshal.GetReference(y), ((nint)row * _columns) + Begin(panel));
                    bool onTop = accumulate || depth > 0;
                    ref float from = ref onTop
                        ? ref c
                        : ref start.IsEmpty ? ref GemmEdge<T>.Zeros : ref Unsafe.Add(ref MemoryMarshal.GetReference(start), Begin(panel));
                    GemmEdge<T>.Multiply(
                        in operand,
                        ref first,
                        ref _values.Span[_offset[panel] + (depth * Width)],
                        ref c,
                        _columns,
                        ref from,
                        onTop ? _columns : 0,
                        count,
                        Math.Min(DepthBlock, _depth[panel] - depth),
                        End(panel) - Begin(panel)
                    );
                }
            }
        }
    }
}
