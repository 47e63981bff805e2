using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Models.State;

/// <summary>One tensor of a state at one point in time: small ones are copied, large ones shared by page.</summary>
public abstract class StateTensor
{
    private StateTensor(TensorInfo info) => Info = info;

    /// <summary>Gets name, type and shape.</summary>
    public TensorInfo Info { get; }

    /// <summary>A dense parameter, or its moments.</summary>
    public static StateTensor Copy(string name, float[] values, Parameter parameter, CopyBuffers buffers) =>
        Copy<float>(
            new TensorInfo(name, TensorType.F32, [.. parameter.Shape.Select(size => (long)size)]),
            values.AsSpan(parameter.Offset, parameter.Length),
            buffers
        );

    /// <summary>A vector of numbers.</summary>
    public static StateTensor Copy<T>(string name, ReadOnlySpan<T> values, CopyBuffers buffers)
        where T : unmanaged => Copy(new TensorInfo(name, TensorTypes.Of<T>(), [values.Length]), values, buffers);

    /// <summary>Rows of a large table.</summary>
    public static StateTensor Share(string name, PagedRows rows, int first, int count) =>
        new Paged<float>(new TensorInfo(name, TensorType.F32, [count, rows.Columns]), rows.Values, first * rows.Columns);

    /// <summary>The beginning of a large vector.</summary>
    public static StateTensor Share<T>(string name, PagedArray<T> values, int count)
        where T : unmanaged => new Paged<T>(new TensorInfo(name, TensorTypes.Of<T>(), [count]), values, 0);

    /// <summary>Starts preserving a shared tensor's current values.</summary>
    public abstract void Begin();

    /// <summary>Releases the preserved values.</summary>
    public abstract void End();

    /// <summary>Copies a part of the bytes.</summary>
    public abstract void Read(long byteOffset, Span<byte> destination);

    /// <summary>Marks the first bytes as not read again.</summary>
    public abstract void Release(long byteCount);

    private static Copied Copy<T>(TensorInfo info, ReadOnlySpan<T> values, CopyBuffers buffers)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        byte[] copy = buffers.Rent(info.Name, bytes.Length);
        bytes.CopyTo(copy);
        return new Copied(info, copy);
    }

    private sealed class Copied(TensorInfo info, byte[] bytes) : StateTensor(info)
    {
        public override void Begin() { }

        public override void End() { }

        public override void Release(long byteCount) { }

        public override void Read(long byteOffset, Span<byte> destination) =>
            bytes.AsSpan(checked((int)byteOffset), destination.Length).CopyTo(destination);
    }

    private sealed class Paged<T>(TensorInfo info, PagedArray<T> values, int first) : StateTensor(info)
        where T : unmanaged
    {
        private int _released;

        public override void Begin() => values.BeginSnapshot(first, (int)Info.ElementCount());

        public override void End() => values.EndSnapshot();

        public override void Release(long byteCount)
        {
            int end = first + (int)(byteCount / Unsafe.SizeOf<T>());
            values.ReleaseSnapshot(Math.Max(first, _released), end);
            _released = end;
        }

        public override void Read(long byteOffset, Span<byte> destination)
        {
            int size = Unsafe.SizeOf<T>();
            if (byteOffset % size != 0 || destination.Length % size != 0)
            {
                throw new ArgumentException(
                    $"Read of {destination.Length} bytes at {byteOffset} of {Info.Name}; allowed: multiples of {size}.",
                    nameof(byteOffset)
                );
            }

            if (byteOffset < 0 || byteOffset + destination.Length > Info.ByteCount())
            {
                throw new ArgumentOutOfRangeException(nameof(byteOffset), byteOffset, $"{Info.Name} is shorter.");
            }

            values.ReadSnapshot(checked(first + (int)(byteOffset / size)), MemoryMarshal.Cast<byte, T>(destination));
        }
    }
}
