using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Elementwise;

/// <summary>An operation on the elements of spans of equal length, written once for all vector widths.</summary>
internal interface IElementwise<TSelf>
    where TSelf : struct, IElementwise<TSelf>, allows ref struct
{
    /// <summary>Elements.</summary>
    int Length { get; }

    /// <summary>Computes the elements [at, at + Count).</summary>
    void Apply<T>(nint at)
        where T : struct, ISimd<T>;
}
