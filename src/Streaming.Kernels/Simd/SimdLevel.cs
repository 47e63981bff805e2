namespace Streaming.Kernels.Simd;

/// <summary>Vector widths that divide a length.</summary>
internal static class SimdLevel
{
    /// <summary>The largest supported vector, in floats, that divides a length: 16, 8, 4 or 1.</summary>
    public static int For(int length)
    {
        if (Simd512.IsSupported && length % Simd512.Count == 0)
        {
            return Simd512.Count;
        }

        if (Simd256.IsSupported && length % Simd256.Count == 0)
        {
            return Simd256.Count;
        }

        return Simd128.IsSupported && length % Simd128.Count == 0 ? Simd128.Count : 1;
    }
}
