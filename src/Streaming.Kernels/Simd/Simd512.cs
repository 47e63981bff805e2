using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Streaming.Kernels.Simd;

/// <summary>A vector of 512 bits (x86-64 with AVX-512).</summary>
internal readonly struct Simd512(Vector512<float> value) : ISimd<Simd512>
{
    private readonly Vector512<float> _value = value;

    // Not Vector512.IsHardwareAccelerated: it is false on CPUs that lower their clock for 512-bit work (Skylake-X, Cascade
    // Lake), where these kernels are dense enough to gain anyway.
    public static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    public static int Count => 16;

    public static bool HasManyRegisters => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Load(ref readonly float source) => new(Vector512.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Load(ref readonly float source, nint offset) => new(Vector512.LoadUnsafe(in source, (nuint)offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 LoadHalves(ref readonly ushort source, nint offset)
    {
        Vector512<int> bits = Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, (nuint)offset).AsInt16());
        return new(((bits << HalfBits.Shift) & Vector512.Create(HalfBits.Mask)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 LoadBytes(ref readonly sbyte source, nint offset) =>
        new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.LoadUnsafe(in source, (nuint)offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator +(Simd512 a, Simd512 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator -(Simd512 a, Simd512 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator *(Simd512 a, Simd512 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator /(Simd512 a, Simd512 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Max(Simd512 a, Simd512 b) => new(Vector512.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Sqrt(Simd512 a) => new(Vector512.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MultiplyAdd(Simd512 a, Simd512 b, Simd512 c) => new(Vector512.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 NegateMultiplyAdd(Simd512 a, Simd512 b, Simd512 c) =>
        new(Vector512.MultiplyAddEstimate(-a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Exp2(Simd512 y)
    {
        // y − ⌊y⌋ and · 2^⌊y⌋ are one instruction each; the second saturates.
        Vector512<float> x = y._value;
        Vector512<float> f = Avx512DQ.Reduce(x, 1);
        var p = Vector512.Create(Exp2Constants.C5);
        p = Avx512F.FusedMultiplyAdd(p, f, Vector512.Create(Exp2Constants.C4));
        p = Avx512F.FusedMultiplyAdd(p, f, Vector512.Create(Exp2Constants.C3));
        p = Avx512F.FusedMultiplyAdd(p, f, Vector512.Create(Exp2Constants.C2));
        p = Avx512F.FusedMultiplyAdd(p, f, Vector512.Create(Exp2Constants.C1));
        p = Avx512F.FusedMultiplyAdd(p, f, Vector512.Create(Exp2Constants.C0));
        Vector512<float> result = Avx512F.Scale(p, x);
        return new(
            Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Exp2Constants.Least)), Vector512<float>.Zero, result)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd512 a)
    {
        // Halves first: Vector512.Sum sums each quarter separately, twice the instructions.
        Vector256<float> half = a._value.GetLower() + a._value.GetUpper();
        return Vector128.Sum(half.GetLower() + half.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Simd512 a, Simd512 b, Simd512 c, Simd512 d)
    {
        Vector512<float> sums = LaneSums.Quarters(a._value, b._value, c._value, d._value);
        Vector256<float> half = sums.GetLower() + sums.GetUpper();
        return half.GetLower() + half.GetUpper();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 OneIfGreater(Simd512 a, Simd512 b) => new(Vector512.GreaterThan(a._value, b._value) & Vector512.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 OneIfEqual(Simd512 a, Simd512 b) => new(Vector512.Equals(a._value, b._value) & Vector512.Create(1f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Keep(Simd512 a, uint index, in DropoutMask mask)
    {
        Vector512<uint> hash = (Vector512<uint>.Indices + Vector512.Create(index)) ^ Vector512.Create(mask.Key0);
        hash = Mix(Mix(hash) + Vector512.Create(mask.Key1));
        return new(a._value & Vector512.GreaterThanOrEqual(hash, Vector512.Create(mask.Threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target) => _value.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float target, nint offset) => _value.StoreUnsafe(ref target, (nuint)offset);

    // The same finaliser as DropoutMask.Keeps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Mix(Vector512<uint> x)
    {
        x ^= x >>> 16;
        x *= DropoutMask.Multiplier0;
        x ^= x >>> 13;
        x *= DropoutMask.Multiplier1;
        return x ^ (x >>> 16);
    }
}
