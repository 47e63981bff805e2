using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Norms;

/// <summary>A backward pass of <see cref="IncrementNorm"/>.</summary>
internal ref struct NormBackward
{
    public ref float OutputGradients;
    public ref float Input;
    public ref float Gain;
    public ref float Statistics;
    public ref float InputGradients;
    public ref float GainGradients;
    public ref float BiasGradients;
    public ReadOnlySpan<NormIncrement> Increments;
    public int Rows;
    public int Dimension;
    public int StatisticsPerRow;
    public bool Accumulate;

    /// <summary>Rows [row, end): all increments of a few before the next few, as they lie in memory.</summary>
    /// <param name="row">First row.</param>
    /// <param name="end">End of the rows.</param>
    /// <param name="part">Part of the gradients of gain and bias that they are added to.</param>
    public readonly void Run(int row, int end, int part)
    {
        while (row < end)
        {
            NormRows rows = NormRows.At(row, end);

            // Gradients were computed just now; the input is of the forward pass, which has used the caches for much else.
            rows.Prefetch(ref Input, Dimension);
            foreach (ref readonly NormIncrement increment in Increments)
            {
                switch (increment.Lanes)
                {
                    case 16:
                        NormKernel<Simd512>.Backward(in this, in increment, rows, part);
                        break;
                    case 8:
                        NormKernel<Simd256>.Backward(in this, in increment, rows, part);
                        break;
                    case 4:
                        NormKernel<Simd128>.Backward(in this, in increment, rows, part);
                        break;
                    default:
                        NormKernel<SimdScalar>.Backward(in this, in increment, rows, part);
                        break;
                }
            }

            row += rows.Count;
        }
    }
}
