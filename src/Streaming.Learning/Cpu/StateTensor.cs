using System.Runtime.InteropServices;

namespace Streaming.Learning;

/// <summary>One tensor of an engine's state: copied at once when it is small, shared by pages when it is big.</summary>
internal sealed class StateTensor
{
    private readonly byte[] _copy;
    private readonly int _first;

    private StateTensor(TensorInfo info, byte[] copy, PagedRows? rows, int first, int count)
    {
        Info = info;
        _copy = copy;
        Paged = rows;
        _first = first;
        Count = count;
    }

    /// <summary>Gets name, type and shape.</summary>
    public TensorInfo Info { get; }

    /// <summary>Gets the table that is shared, if any.</summary>
    public PagedRows? Paged { get; }

    /// <summary>Gets the number of shared rows.</summary>
    public int Count { get; }

    /// <summary>A dense parameter, or its moments.</summary>
    public static StateTensor Copy(string name, float[] values, Parameter parameter) =>
        new(new TensorInfo(name, TensorType.F32, [.. parameter.Shape.Select(size => (long)size)]), Bytes<float>(values.AsSpan(parameter.Offset, parameter.Length)), null, 0, 0);

    /// <summary>A vector of numbers.</summary>
    public static StateTensor Copy<T>(string name, TensorType type, ReadOnlySpan<T> values)
        where T : unmanaged => new(new TensorInfo(name, type, [values.Length]), Bytes(values), null, 0, 0);

    /// <summary>Rows of a big table.</summary>
    public static StateTensor Share(string name, PagedRows rows, int first, int count) =>
        new(new TensorInfo(name, TensorType.F32, [count, rows.Columns]), [], rows, first, count);

    /// <summary>From now on a shared table keeps its rows as they are.</summary>
    public void Begin() => Paged?.BeginSnapshot(_first, Count);

    /// <summary>Forgets the rows kept.</summary>
    public void End() => Paged?.EndSnapshot();

    /// <summary>Copies a part of the bytes.</summary>
    public void Read(long byteOffset, Span<byte> destination)
    {
        if (Paged is null)
        {
            _copy.AsSpan(checked((int)byteOffset), destination.Length).CopyTo(destination);
            return;
        }

        if (byteOffset % sizeof(float) != 0 || destination.Length % sizeof(float) != 0)
        {
            throw new ArgumentException($"Read of {destination.Length} bytes at {byteOffset} of {Info.Name}; allowed: multiples of 4.", nameof(byteOffset));
        }

        if (byteOffset < 0 || byteOffset + destination.Length > (long)Count * Paged.Columns * sizeof(float))
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), byteOffset, $"{Info.Name} ends before.");
        }

        Paged.ReadSnapshot(((long)_first * Paged.Columns) + (byteOffset / sizeof(float)), MemoryMarshal.Cast<byte, float>(destination));
    }

    private static byte[] Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();
}
