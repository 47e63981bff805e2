using System.Runtime.Intrinsics;

namespace Streaming.Kernels.Simd;

/// <summary>
/// One machine vector of floats. A kernel is written once against this and compiled by the JIT for each width; the wrappers
/// have a single field, so they stay in registers.
/// </summary>
internal interface ISimd<TSelf>
    where TSelf : struct, ISimd<TSelf>
{
    /// <summary>Floats per vector; a power of two up to 16.</summary>
    static abstract int Count { get; }

    /// <summary>Whether 16 accumulators and their operands fit the registers (otherwise 8 do).</summary>
    static abstract bool HasManyRegisters { get; }

    static abstract TSelf Create(float value);

    static abstract TSelf Load(ref readonly float source);

    static abstract TSelf Load(ref readonly float source, nint offset);

    /// <summary>IEEE 754 binary16 numbers × 2⁻¹¹², exact for all finite ones: correcting the exponent takes a multiplication, which
    /// a dot product has anyway (<see cref="HalfBits.Rebias"/>).</summary>
    static abstract TSelf LoadHalves(ref readonly ushort source, nint offset);

    static abstract TSelf LoadBytes(ref readonly sbyte source, nint offset);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf Max(TSelf a, TSelf b);

    static abstract TSelf Sqrt(TSelf a);

    /// <summary>a·b + c, fused where supported.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>c − a·b, fused where supported.</summary>
    static abstract TSelf NegateMultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>2^y to 2·10⁻⁷ relative; 0 below 2⁻¹⁰⁰ (see <see cref="Exp2Constants"/>); huge, not NaN, above 2¹²⁷.</summary>
    static abstract TSelf Exp2(TSelf y);

    /// <summary>Sum of the lanes.</summary>
    static abstract float Sum(TSelf a);

    /// <summary>Sums of the lanes of each of four vectors, all in the same order.</summary>
    static abstract Vector128<float> Sums(TSelf a, TSelf b, TSelf c, TSelf d);

    /// <summary>1 in the lanes where a &gt; b, 0 in the others.</summary>
    static abstract TSelf OneIfGreater(TSelf a, TSelf b);

    /// <summary>1 in the lanes where a = b, 0 in the others.</summary>
    static abstract TSelf OneIfEqual(TSelf a, TSelf b);

    /// <summary>The lanes whose elements, numbered from <paramref name="index"/>, a dropout mask keeps; 0 elsewhere.</summary>
    static abstract TSelf Keep(TSelf a, uint index, in DropoutMask mask);

    void Store(ref float target);

    void Store(ref float target, nint offset);
}
