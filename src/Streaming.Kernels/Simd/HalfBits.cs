namespace Streaming.Kernels.Simd;

/// <summary>
/// Converts binary16 to binary32 without a table or a branch: the sign-extended bits are shifted to their float position, and
/// a multiplication corrects the exponent. .NET has no intrinsic for the CPU's conversion (F16C).
/// </summary>
internal static class HalfBits
{
    /// <summary>10 bits of fraction become 23.</summary>
    public const int Shift = 13;

    /// <summary>Mask of the shifted bits: the sign without its copies, then exponent and fraction.</summary>
    public const int Mask = unchecked((int)0x8FFFE000);

    /// <summary>2¹¹² = 2^(127 − 15), the difference of the exponent biases.</summary>
    public const float Rebias = 5.192296858534828e33f;
}
