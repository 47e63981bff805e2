using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>A kind of number that rows hold; the kernels are compiled once for each.</summary>
/// <typeparam name="TValue">Its bits.</typeparam>
internal interface IRowElement<TValue>
    where TValue : unmanaged
{
    /// <summary>What a loaded number has to be multiplied by.</summary>
    static abstract float Factor { get; }

    /// <summary>Widens the next numbers.</summary>
    static abstract T Load<T>(ref readonly TValue source, nint offset)
        where T : struct, ISimd<T>;
}
