using System.Runtime.CompilerServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary><see cref="RowElement.Float32"/>.</summary>
internal readonly struct SingleElement : IRowElement<float>
{
    public static float Factor => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly float source, nint offset)
        where T : struct, ISimd<T> => T.Load(in source, offset);
}

/// <summary><see cref="RowElement.Float16"/>.</summary>
internal readonly struct HalfElement : IRowElement<ushort>
{
    public static float Factor => HalfBits.Rebias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly ushort source, nint offset)
        where T : struct, ISimd<T> => T.LoadHalves(in source, offset);
}

/// <summary><see cref="RowElement.Int8"/>; the caller applies the scale.</summary>
internal readonly struct ByteElement : IRowElement<sbyte>
{
    public static float Factor => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly sbyte source, nint offset)
        where T : struct, ISimd<T> => T.LoadBytes(in source, offset);
}
