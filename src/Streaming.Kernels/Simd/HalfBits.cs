namespace Streaming.Kernels.Simd;

/// <summary>
/// From binary16 to binary32 without a table or a branch: the bits, sign-extended, move to where a float has them, and a
/// multiplication puts the exponent right. .NET has no class for the processor's own conversion (F16C).
/// </summary>
internal static class HalfBits
{
    /// <summary>10 bits of fraction become 23.</summary>
    public const int Shift = 13;

    /// <summary>What stays of the shifted bits: the sign, not its copies, then exponent and fraction.</summary>
    public const int Mask = unchecked((int)0x8FFFE000);

    /// <summary>2¹¹² = 2^(127 − 15), the difference of the two exponents' biases.</summary>
    public const float Rebias = 5.192296858534828e33f;
}
