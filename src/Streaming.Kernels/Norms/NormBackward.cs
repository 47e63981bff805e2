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

    /// <summary>Rows [row, end): all increments of a few rows before the next few, in memory order.</summary>
    /// <param name="row">First row.</param>
    /// <param name="end">End of the rows.</param>
    /// <param name="part">Index of the partial sums of the gain and bias gradients to add to.</param>
    public readonly void Run(int row, int end, int part)
    {
        while (row < end)
        {
            var rows = NormRows.At(row, end);

            // The gradients were just computed; the input is from the forward pass and has left the caches.
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
