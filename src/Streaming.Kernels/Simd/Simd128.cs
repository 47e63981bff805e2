using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Streaming.Kernels.Simd;

/// <summary>A vector of 128 bits.</summary>
internal readonly struct Simd128(Vector128<float> value) : ISimd<Simd128>
{
    private readonly Vector128<float> _value = value;

    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    public static int Count => 4;

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Create(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(ref readonly float source) => new(Vector128.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(ref readonly float source, nint offset) => new(Vector128.LoadUnsafe(in source, (nuint)offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadHalves(ref readonly ushort source, nint offset)
    {
        Vector128<short> halves = Vector128
            .CreateScalar(Unsafe.ReadUnaligned<long>(in Unsafe.As<ushort, byte>(ref Unsafe.Add(ref Unsafe.AsRef(in source), offset))))
            .AsInt16();
        return new(((Vector128.WidenLower(halves) << HalfBits.Shift) & Vector128.Create(HalfBits.Mask)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadBytes(ref readonly sbyte source, nint offset)
    {
        Vector128<sbyte> bytes = Vector128
            .CreateScalar(Unsafe.ReadUnaligned<int>(in Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref Unsafe.AsRef(in source), offset))))
            .AsSByte();
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator +(Simd128 a, Simd128 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator -(Simd128 a, Simd128 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator *(Simd128 a, Simd128 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator /(Simd128 a, Simd128 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Max(Simd128 a, Simd128 b) => new(Vector128.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Sqrt(Simd128 a) => new(Vector128.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) => new(Vector128.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 NegateMultiplyAdd(Simd128 a, Simd128 b, Simd128 c) =>
        new(Vector128.MultiplyAddEstimate(-a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Exp2(Simd128 y)
    {
        var x = Vector128.MinNative(y._value, Vector128.Create(Exp2Constants.Most));
        var least = Vector128.Create(Exp2Constants.Least);
        var floor = Vector128.Floor(Vector128.MaxNative(x, least));
        Vector128<float> f = x - floor;
        var p = Vector128.Create(Exp2Constants.C5);
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(Exp2Constants.C4));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(Exp2Constants.C3));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(Exp2Constants.C2));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(Exp2Constants.C1));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(Exp2Constants.C0));
        Vector128<int> exponent = Vector128.ConvertToInt32Native(floor) << 23;
        Vector128<float> result = (p.AsInt32() + exponent).AsSingle();
        return new(Vector128.AndNot(result, Vector128.LessThan(x, least)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd128 a) => Vector128.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Simd128 a, Simd128 b, Simd128 c, Simd128 d) => Vector128.Create(Sum(a), Sum(b), Sum(c), Sum(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 OneIfGreater(Simd128 a, Simd128 b) => new(Vector128.GreaterThan(a._value, b._value) & Vector128.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 OneIfEqual(Simd128 a, Simd128 b) => new(Vector128.Equals(a._value, b._value) & Vector128.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Keep(Simd128 a, uint index, in DropoutMask mask)
    {
        Vector128<uint> hash = (Vector128<uint>.Indices + Vector128.Create(index)) ^ Vector128.Create(mask.Key0);
        hash = Mix(Mix(hash) + Vector128.Create(mask.Key1));
        return new(a._value & Vector128.GreaterThanOrEqual(hash, Vector128.Create(mask.Threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target) => _value.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target, nint offset) => _value.StoreUnsafe(ref target, (nuint)offset);

    // The same finaliser as DropoutMask.Keeps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Mix(Vector128<uint> x)
    {
        x ^= x >>> 16;
        x *= DropoutMask.Multiplier0;
        x ^= x >>> 13;
        x *= DropoutMask.Multiplier1;
        return x ^ (x >>> 16);
    }
}
