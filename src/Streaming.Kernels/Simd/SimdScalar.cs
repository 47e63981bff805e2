using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Streaming.Kernels.Simd;

/// <summary>One float: the fallback without vector hardware.</summary>
internal readonly struct SimdScalar(float value) : ISimd<SimdScalar>
{
    private readonly float _value = value;

    public static int Count => 1;

    public static bool HasManyRegisters => false;

    public static SimdScalar Create(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Load(ref readonly float source) => new(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Load(ref readonly float source, nint offset) => new(Unsafe.Add(ref Unsafe.AsRef(in source), offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar LoadHalves(ref readonly ushort source, nint offset)
    {
        int bits = (short)Unsafe.Add(ref Unsafe.AsRef(in source), offset);
        return new(BitConverter.Int32BitsToSingle((bits << HalfBits.Shift) & HalfBits.Mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar LoadBytes(ref readonly sbyte source, nint offset) => new(Unsafe.Add(ref Unsafe.AsRef(in source), offset));

    public static SimdScalar operator +(SimdScalar a, SimdScalar b) => new(a._value + b._value);

    public static SimdScalar operator -(SimdScalar a, SimdScalar b) => new(a._value - b._value);

    public static SimdScalar operator *(SimdScalar a, SimdScalar b) => new(a._value * b._value);

    public static SimdScalar operator /(SimdScalar a, SimdScalar b) => new(a._value / b._value);

    public static SimdScalar Max(SimdScalar a, SimdScalar b) => a._value > b._value ? a : b;

    public static SimdScalar Sqrt(SimdScalar a) => new(MathF.Sqrt(a._value));

    // Not fused: without the instruction MathF.FusedMultiplyAdd is a library call.
    public static SimdScalar MultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c) => new(a._value * b._value + c._value);

    public static SimdScalar NegateMultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c) => new(c._value - a._value * b._value);

    public static SimdScalar Exp2(SimdScalar y)
    {
        float x = y._value > Exp2Constants.Most ? Exp2Constants.Most : y._value;
        if (!(x > Exp2Constants.Least))
        {
            return default;
        }

        // Truncation after a shift to positive numbers is the floor, without a library call.
        int floor = (int)(x + 128f) - 128;
        float f = x - floor;
        float p = Exp2Constants.C5;
        p = p * f + Exp2Constants.C4;
        p = p * f + Exp2Constants.C3;
        p = p * f + Exp2Constants.C2;
        p = p * f + Exp2Constants.C1;
        p = p * f + Exp2Constants.C0;
        return new(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(p) + (floor << 23)));
    }

    public static float Sum(SimdScalar a) => a._value;

    public static Vector128<float> Sums(SimdScalar a, SimdScalar b, SimdScalar c, SimdScalar d) =>
        Vector128.Create(a._value, b._value, c._value, d._value);

    public static SimdScalar OneIfGreater(SimdScalar a, SimdScalar b) => new(a._value > b._value ? 1f : 0f);

    public static SimdScalar OneIfEqual(SimdScalar a, SimdScalar b) => new(a._value == b._value ? 1f : 0f);

    public static SimdScalar Keep(SimdScalar a, uint index, in DropoutMask mask) => mask.Keeps(index) ? a : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target) => target = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target, nint offset) => Unsafe.Add(ref target, offset) = _value;
}
