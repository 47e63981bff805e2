using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Simd;

/// <summary>A vector of 256 bits.</summary>
internal readonly struct Simd256(Vector256<float> value) : ISimd<Simd256>
{
    private readonly Vector256<float> _value = value;

    public static bool IsSupported => Vector256.IsHardwareAccelerated;

    public static int Count => 8;

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Load(ref readonly float source) => new(Vector256.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Load(ref readonly float source, nint offset) => new(Vector256.LoadUnsafe(in source, (nuint)offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadHalves(ref readonly ushort source, nint offset)
    {
        Vector256<int> bits = Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, (nuint)offset).AsInt16());
        return new(((bits << HalfBits.Shift) & Vector256.Create(HalfBits.Mask)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadBytes(ref readonly sbyte source, nint offset)
    {
        // Eight bytes, not sixteen: the last row of a block ends there.
        Vector128<sbyte> bytes = Vector128
            .CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(in Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref Unsafe.AsRef(in source), offset))))
            .AsSByte();
        return new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator +(Simd256 a, Simd256 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator -(Simd256 a, Simd256 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator *(Simd256 a, Simd256 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator /(Simd256 a, Simd256 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Max(Simd256 a, Simd256 b) => new(Vector256.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Sqrt(Simd256 a) => new(Vector256.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplyAdd(Simd256 a, Simd256 b, Simd256 c) => new(Vector256.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 NegateMultiplyAdd(Simd256 a, Simd256 b, Simd256 c) =>
        new(Vector256.MultiplyAddEstimate(-a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Exp2(Simd256 y)
    {
        var x = Vector256.MinNative(y._value, Vector256.Create(Exp2Constants.Most));
        var least = Vector256.Create(Exp2Constants.Least);
        var floor = Vector256.Floor(Vector256.MaxNative(x, least));
        Vector256<float> f = x - floor;
        var p = Vector256.Create(Exp2Constants.C5);
        p = Vector256.MultiplyAddEstimate(p, f, Vector256.Create(Exp2Constants.C4));
        p = Vector256.MultiplyAddEstimate(p, f, Vector256.Create(Exp2Constants.C3));
        p = Vector256.MultiplyAddEstimate(p, f, Vector256.Create(Exp2Constants.C2));
        p = Vector256.MultiplyAddEstimate(p, f, Vector256.Create(Exp2Constants.C1));
        p = Vector256.MultiplyAddEstimate(p, f, Vector256.Create(Exp2Constants.C0));
        Vector256<int> exponent = Vector256.ConvertToInt32Native(floor) << 23;
        Vector256<float> result = (p.AsInt32() + exponent).AsSingle();
        return new(Vector256.AndNot(result, Vector256.LessThan(x, least)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd256 a) => Vector128.Sum(a._value.GetLower() + a._value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Simd256 a, Simd256 b, Simd256 c, Simd256 d)
    {
        Vector256<float> sums = LaneSums.Quarters(a._value, b._value, c._value, d._value);
        return sums.GetLower() + sums.GetUpper();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 OneIfGreater(Simd256 a, Simd256 b) => new(Vector256.GreaterThan(a._value, b._value) & Vector256.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 OneIfEqual(Simd256 a, Simd256 b) => new(Vector256.Equals(a._value, b._value) & Vector256.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Keep(Simd256 a, uint index, in DropoutMask mask)
    {
        Vector256<uint> hash = (Vector256<uint>.Indices + Vector256.Create(index)) ^ Vector256.Create(mask.Key0);
        hash = Mix(Mix(hash) + Vector256.Create(mask.Key1));
        return new(a._value & Vector256.GreaterThanOrEqual(hash, Vector256.Create(mask.Threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target) => _value.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target, nint offset) => _value.StoreUnsafe(ref target, (nuint)offset);

    // The same finaliser as DropoutMask.Keeps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mix(Vector256<uint> x)
    {
        x ^= x >>> 16;
        x *= DropoutMask.Multiplier0;
        x ^= x >>> 13;
        x *= DropoutMask.Multiplier1;
        return x ^ (x >>> 16);
    }
}
