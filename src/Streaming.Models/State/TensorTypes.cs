namespace Streaming.Models.State;

/// <summary>Element types, their sizes and their .NET types.</summary>
public static class TensorTypes
{
    /// <summary>Gets the size of an element in bytes.</summary>
    public static int Size(this TensorType type) =>
        type switch
        {
            TensorType.F32 or TensorType.I32 => 4,
            TensorType.F64 or TensorType.I64 or TensorType.U64 => 8,
            TensorType.U8 => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type."),
        };

    /// <summary>Gets the number of elements of a tensor.</summary>
    /// <exception cref="OverflowException">The product of the dimensions exceeds 63 bits.</exception>
    public static long ElementCount(this TensorInfo tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        long count = 1;
        foreach (long dimension in tensor.Shape)
        {
            count = checked(count * dimension);
        }

        return count;
    }

    /// <summary>Gets the number of bytes of a tensor.</summary>
    public static long ByteCount(this TensorInfo tensor) => checked(tensor.ElementCount() * tensor.Type.Size());

    /// <summary>The tensor type of an element type.</summary>
    /// <typeparam name="T">float, int, long or another type that a tensor can hold.</typeparam>
    public static TensorType Of<T>()
        where T : unmanaged =>
        typeof(T) == typeof(float) ? TensorType.F32
        : typeof(T) == typeof(double) ? TensorType.F64
        : typeof(T) == typeof(int) ? TensorType.I32
        : typeof(T) == typeof(long) ? TensorType.I64
        : typeof(T) == typeof(ulong) ? TensorType.U64
        : typeof(T) == typeof(byte) || typeof(T) == typeof(bool) ? TensorType.U8
        : throw new NotSupportedException($"No tensor type for {typeof(T)}.");
}
