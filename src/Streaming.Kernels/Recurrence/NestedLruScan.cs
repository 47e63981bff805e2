using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Recurrence;

/// <summary>
/// The scan of the linear recurrent unit over one sequence whose complex channels are grouped by nested increments, forward
/// and backward, in place: s_t = λ ⊙ s_{t−1} + γ ⊙ x_t.
/// </summary>
/// <remarks>
/// A step is a row of 2D floats: for each increment the real parts, then the imaginary parts, so the state of a narrower
/// model is a prefix of the row. λ and γ have the same layout. State, gradient and sums of a group of channels stay in
/// registers over the whole sequence, which should fit the cache.
/// </remarks>
public static class NestedLruScan
{
    /// <summary>Computes all states, overwriting their inputs.</summary>
    /// <param name="states">In: x [steps × 2D]. Out: s.</param>
    /// <param name="steps">Length of the sequence, 0 and up.</param>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="lambda">λ [2D].</param>
    /// <param name="gamma">γ [2D]: each value twice.</param>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void Forward(
        Span<float> states,
        int steps,
        ReadOnlySpan<int> widths,
        ReadOnlySpan<float> lambda,
        ReadOnlySpan<float> gamma
    )
    {
        Check(states.Length, steps, widths, lambda.Length, gamma.Length);
        ref float row = ref MemoryMarshal.GetReference(states);
        for (int k = 0, start = 0; k < widths.Length; start = widths[k++])
        {
            int length = widths[k] - start;
            var group = new LruGroup(2 * start, length, 2 * widths[^1], steps);
            ref float l = ref MemoryMarshal.GetReference(lambda);
            ref float g = ref MemoryMarshal.GetReference(gamma);
            switch (SimdLevel.For(length))
            {
                case 16:
                    NestedLruKernel<Simd512>.Forward(ref row, ref l, ref g, group);
                    break;
                case 8:
                    NestedLruKernel<Simd256>.Forward(ref row, ref l, ref g, group);
                    break;
                case 4:
                    NestedLruKernel<Simd128>.Forward(ref row, ref l, ref g, group);
                    break;
                default:
                    NestedLruKernel<SimdScalar>.Forward(ref row, ref l, ref g, group);
                    break;
            }
        }
    }

    /// <summary>Computes the gradients with respect to the inputs, overwriting those of the states.</summary>
    /// <param name="states">s [steps × 2D].</param>
    /// <param name="gradients">In: ∂L/∂s [steps × 2D] of each state as an output. Out: ∂L/∂x.</param>
    /// <param name="steps">Length of the sequence, 0 and up.</param>
    /// <param name="widths">Nested widths.</param>
    /// <param name="lambda">λ [2D].</param>
    /// <param name="gamma">γ [2D]: each value twice.</param>
    /// <param name="lambdaSums">In and out: Σ_t δ_t · conj(s_{t−1}) [2D], added to, where δ_t is the total gradient of s_t.</param>
    /// <param name="stateSums">In and out: Σ_t of Re(δ_t) Re(s_t) and of Im(δ_t) Im(s_t) [2D], added to.</param>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void Backward(
        ReadOnlySpan<float> states,
        Span<float> gradients,
        int steps,
        ReadOnlySpan<int> widths,
        ReadOnlySpan<float> lambda,
        ReadOnlySpan<float> gamma,
        Span<float> lambdaSums,
        Span<float> stateSums
    )
    {
        Check(states.Length, steps, widths, lambda.Length, gamma.Length);
        Check(gradients.Length, steps, widths, lambdaSums.Length, stateSums.Length);
        var job = new LruBackwardJob
        {
            States = ref MemoryMarshal.GetReference(states),
            Gradients = ref MemoryMarshal.GetReference(gradients),
            Lambda = ref MemoryMarshal.GetReference(lambda),
            Gamma = ref MemoryMarshal.GetReference(gamma),
            LambdaSums = ref MemoryMarshal.GetReference(lambdaSums),
            StateSums = ref MemoryMarshal.GetReference(stateSums),
        };
        for (int k = 0, start = 0; k < widths.Length; start = widths[k++])
        {
            int length = widths[k] - start;
            var group = new LruGroup(2 * start, length, 2 * widths[^1], steps);
            switch (SimdLevel.For(length))
            {
                case 16:
                    NestedLruKernel<Simd512>.Backward(ref job, group);
                    break;
                case 8:
                    NestedLruKernel<Simd256>.Backward(ref job, group);
                    break;
                case 4:
                    NestedLruKernel<Simd128>.Backward(ref job, group);
                    break;
                default:
                    NestedLruKernel<SimdScalar>.Backward(ref job, group);
                    break;
            }
        }
    }

    private static void Check(int rows, int steps, ReadOnlySpan<int> widths, int first, int second)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        int size = 2 * widths[^1];
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, (long)steps * size, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfLessThan(first, size, nameof(first));
        ArgumentOutOfRangeException.ThrowIfLessThan(second, size, nameof(second));
    }
}
