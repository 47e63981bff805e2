using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Packed;

/// <summary>An element type of packed rows; the kernels are compiled once per type.</summary>
/// <typeparam name="TValue">The storage type of its bits.</typeparam>
internal interface IRowElement<TValue>
    where TValue : unmanaged
{
    /// <summary>The factor to apply to a loaded number.</summary>
    static abstract float Factor { get; }

    /// <summary>Loads and widens the next numbers.</summary>
    static abstract T Load<T>(ref readonly TValue source, nint offset)
        where T : struct, ISimd<T>;
}
