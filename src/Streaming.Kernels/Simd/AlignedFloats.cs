using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Kernels.Simd;

/// <summary>Floats aligned to cache lines: a 512-bit load that crosses two lines costs two.</summary>
public sealed class AlignedFloats
{
    private const int LineFloats = 16;
    private readonly float[] _array;
    private readonly int _start;

    /// <summary>Allocates zeros.</summary>
    /// <param name="length">The number of floats.</param>
    public AlignedFloats(int length)
    {
        // Pinned, so that the alignment computed now stays valid.
        _array = GC.AllocateArray<float>(length + LineFloats, pinned: true);
        nint address = Unsafe.ByteOffset(ref Unsafe.NullRef<float>(), ref MemoryMarshal.GetArrayDataReference(_array));
        nint misplaced = address / sizeof(float) % LineFloats;
        _start = (int)((LineFloats - misplaced) % LineFloats);
        Length = length;
    }

    /// <summary>Gets an empty instance.</summary>
    public static AlignedFloats Empty { get; } = new(0);

    /// <summary>Gets the number of floats.</summary>
    public int Length { get; }

    /// <summary>Gets the allocated bytes, including the alignment padding.</summary>
    public long Bytes => (long)_array.Length * sizeof(float);

    /// <summary>Gets the floats.</summary>
    public Span<float> Span => _array.AsSpan(_start, Length);

    /// <summary>The floats from an index on.</summary>
    /// <param name="start">Index of the first.</param>
    public Span<float> AsSpan(int start) => Span[start..];

    /// <summary>A range of the floats.</summary>
    /// <param name="start">Index of the first.</param>
    /// <param name="length">How many.</param>
    public Span<float> AsSpan(int start, int length) => Span.Slice(start, length);

    /// <summary>Gets the first float.</summary>
    public ref float Reference => ref _array[_start];

    /// <summary>A length rounded up to whole cache lines.</summary>
    /// <param name="length">A number of floats.</param>
    /// <returns>The least multiple of 16 that is not below it.</returns>
    public static int Lines(int length) => (length + LineFloats - 1) / LineFloats * LineFloats;
}
