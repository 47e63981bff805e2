using Streaming.Kernels.Simd;

namespace Streaming.Models.State;

/// <summary>Arrays that grow to the largest step seen and are then reused.</summary>
public static class Buffers
{
    /// <summary>Ensures a minimum length; contents are lost when the array grows.</summary>
    public static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateUninitializedArray<T>(Capacity(length));
        }
    }

    /// <summary>Ensures a minimum length and keeps the contents.</summary>
    public static void Extend<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, Capacity(Math.Max(length, 16)));
        }
    }

    /// <summary>Ensures room for rows × columns; contents are lost when it grows.</summary>
    public static void Grow(ref AlignedFloats floats, int rows, int columns) => Grow(ref floats, checked(rows * columns));

    /// <summary>Ensures a minimum length; contents are lost when it grows.</summary>
    public static void Grow(ref AlignedFloats floats, int length)
    {
        if (floats.Length < length)
        {
            floats = new AlignedFloats(Capacity(length));
        }
    }

    // A quarter more than needed: batches vary a little in length, and the steady state must not allocate.
    private static int Capacity(int length) => (int)Math.Min(length + (length / 4L), Array.MaxLength);
}
