using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Kernels;

/// <summary>Scratch floats that begin on a cache line: a 512-bit load that crosses two lines costs two.</summary>
internal sealed class AlignedFloats
{
    private const int LineFloats = 16;
    private readonly float[] _array;
    private readonly int _start;

    public AlignedFloats(int length)
    {
        // Pinned, so that the alignment found now stays.
        _array = GC.AllocateArray<float>(length + LineFloats, pinned: true);
        nint address = Unsafe.ByteOffset(ref Unsafe.NullRef<float>(), ref MemoryMarshal.GetArrayDataReference(_array));
        nint misplaced = address / sizeof(float) % LineFloats;
        _start = (int)((LineFloats - misplaced) % LineFloats);
        Length = length;
    }

    public int Length { get; }

    public long Bytes => (long)_array.Length * sizeof(float);

    public Span<float> Span => _array.AsSpan(_start, Length);

    public ref float Reference => ref _array[_start];

    /// <summary>A length rounded up to whole cache lines.</summary>
    public static int Lines(int length) => (length + LineFloats - 1) / LineFloats * LineFloats;
}
