using System.Numerics;
using System.Runtime.InteropServices;

namespace Streaming.Formats.Files;

/// <summary>Whole numbers as their distance from the minimum, in as few bytes as the largest distance needs: none if all are
/// equal.</summary>
internal readonly struct PackedNumbers
{
    private readonly long _smallest;
    private readonly int _width;
    private readonly byte[] _bytes;

    /// <summary>Packs numbers.</summary>
    public PackedNumbers(ReadOnlySpan<long> numbers)
    {
        long largest = _smallest = numbers[0];
        foreach (long number in numbers)
        {
            _smallest = Math.Min(_smallest, number);
            largest = Math.Max(largest, number);
        }

        _width = (64 - BitOperations.LeadingZeroCount((ulong)(largest - _smallest)) + 7) / 8;
        _bytes = new byte[numbers.Length * _width];
        for (int i = 0; i < numbers.Length; i++)
        {
            long distance = numbers[i] - _smallest;
            MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in distance))[.._width].CopyTo(_bytes.AsSpan(i * _width));
        }
    }

    /// <summary>The number at an index.</summary>
    public long this[int place]
    {
        get
        {
            long distance = 0;
            _bytes.AsSpan(place * _width, _width).CopyTo(MemoryMarshal.AsBytes(new Span<long>(ref distance)));
            return _smallest + distance;
        }
    }
}
