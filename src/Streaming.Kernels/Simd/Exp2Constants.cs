namespace Streaming.Kernels.Simd;

/// <summary>2^f on [0, 1) as a polynomial of degree 5, minimax in relative error; 2^y is that times 2^⌊y⌋.</summary>
internal static class Exp2Constants
{
    public const float C0 = 0.9999999250637599f;
    public const float C1 = 0.6931530732070962f;
    public const float C2 = 0.24015361698272358f;
    public const float C3 = 0.055826318231683374f;
    public const float C4 = 0.008989339876598735f;
    public const float C5 = 0.001877576765658015f;

    /// <summary>
    /// Results below 2^Least are 0. Probabilities that small are negligible in their sum, and as denormal operands each would
    /// cost a microcode assist of about 150 cycles in every multiply-add.
    /// </summary>
    public const float Least = -100f;

    /// <summary>Arguments are clamped here, below the largest exponent.</summary>
    public const float Most = 127f;
}
