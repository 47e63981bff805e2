using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Simd;

/// <summary>Loads memory that is read soon into the cache, while the processor does something else. Changes no result, and does nothing
/// where .NET has no such instruction (Arm64).</summary>
public static class Prefetch
{
    private const int LineBytes = 64;

    /// <summary>Loads all of the values.</summary>
    public static unsafe void Read<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        ref byte first = ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(values));
        for (nint at = 0; at < (nint)values.Length * sizeof(T); at += LineBytes)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref first, at)));
        }
    }
}
