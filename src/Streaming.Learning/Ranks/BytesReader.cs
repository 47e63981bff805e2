using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Learning.Ranks;

/// <summary>Reads values, in the byte order of this machine, that another rank of the same program wrote.</summary>
/// <param name="bytes">The values.</param>
internal ref struct BytesReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _left = bytes;

    /// <summary>Reads a value.</summary>
    /// <exception cref="InvalidDataException">There are fewer bytes.</exception>
    public T Read<T>()
        where T : unmanaged => MemoryMarshal.Read<T>(Next(Unsafe.SizeOf<T>()));

    /// <summary>Reads values, without a copy.</summary>
    /// <exception cref="InvalidDataException">There are fewer bytes.</exception>
    public ReadOnlySpan<T> Take<T>(int count)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Next((long)count * Unsafe.SizeOf<T>()));

    /// <summary>Reads a text: its length in bytes, and UTF-8.</summary>
    /// <exception cref="InvalidDataException">There are fewer bytes.</exception>
    public string ReadText() => Encoding.UTF8.GetString(Next(Read<int>()));

    private ReadOnlySpan<byte> Next(long length)
    {
        if (length < 0 || length > _left.Length)
        {
            throw new InvalidDataException("What another rank sent is truncated: its program is of another version.");
        }

        ReadOnlySpan<byte> next = _left[..(int)length];
        _left = _left[(int)length..];
        return next;
    }
}
