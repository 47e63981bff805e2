using System.Runtime.CompilerServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Elementwise;

/// <summary>Runs an <see cref="IElementwise{TSelf}"/> over all its elements.</summary>
internal static class ElementwiseLoop<TOperation>
    where TOperation : struct, IElementwise<TOperation>, allows ref struct
{
    // 64 KB of each operand: large next to the cost of waking a thread, small next to the L2 cache.
    private const int Block = 16384;

    public static void Run(ref TOperation operation, Workers? workers) =>
        Workers.RunOn(
            workers,
            (operation.Length + Block - 1) / Block,
            ref operation,
            static (ref TOperation operation, int part, int _) =>
                Range(ref operation, part * Block, Math.Min(operation.Length, (part + 1) * Block))
        );

    /// <summary>Computes the elements [begin, end).</summary>
    public static void Range(ref TOperation operation, nint begin, nint end)
    {
        nint at = begin;
        if (Simd512.IsSupported)
        {
            at = Step<Simd512>(ref operation, at, end);
        }

        if (Simd256.IsSupported)
        {
            at = Step<Simd256>(ref operation, at, end);
        }

        if (Simd128.IsSupported)
        {
            at = Step<Simd128>(ref operation, at, end);
        }

        Step<SimdScalar>(ref operation, at, end);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Step<T>(ref TOperation operation, nint at, nint end)
        where T : struct, ISimd<T>
    {
        // A local copy: stores through its references cannot change it, so its fields stay in registers.
        TOperation local = operation;
        for (; at + T.Count <= end; at += T.Count)
        {
            local.Apply<T>(at);
        }

        return at;
    }
}
