using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Elementwise;

/// <summary>
/// Dropout without a stored mask: a hash of (key, i) decides whether element i is kept. The backward pass is the same call on
/// the gradient with the same key.
/// </summary>
public static class Dropout
{
    /// <summary>output[i] = input[i] / (1 − rate) with probability 1 − rate, else 0.</summary>
    /// <param name="input">Values.</param>
    /// <param name="output">Out: same length. May be <paramref name="input"/> itself.</param>
    /// <param name="rate">Probability that an element is dropped, 0 and up, below 1. 0 copies.</param>
    /// <param name="key">Identifies the mask.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void Apply(ReadOnlySpan<float> input, Span<float> output, float rate, in DropoutKey key, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rate);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rate, 1f);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, input.Length, nameof(output));
        if (rate == 0)
        {
            input.CopyTo(output);
            return;
        }

        Operation operation = new()
        {
            Input = ref MemoryMarshal.GetReference(input),
            Output = ref MemoryMarshal.GetReference(output),
            Length = input.Length,
            Scale = 1f / (1f - rate),
            Mask = new DropoutMask(rate, key),
        };
        ElementwiseLoop<Operation>.Run(ref operation, workers);
    }

    private ref struct Operation : IElementwise<Operation>
    {
        public ref readonly float Input;
        public ref float Output;
        public float Scale;
        public DropoutMask Mask;

        public int Length { get; init; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Apply<T>(nint at)
            where T : struct, ISimd<T> => T.Keep(T.Load(in Input, at) * T.Create(Scale), (uint)at, in Mask).Store(ref Output, at);
    }
}
