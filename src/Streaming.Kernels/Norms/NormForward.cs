using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Norms;

/// <summary>A forward pass of <see cref="IncrementNorm"/>.</summary>
internal ref struct NormForward
{
    public ref float Input;
    public ref float Gain;
    public ref float Bias;
    public ref float Output;
    public ref float Statistics;
    public ReadOnlySpan<NormIncrement> Increments;
    public float Epsilon;
    public int Rows;
    public int Dimension;
    public int StatisticsPerRow;

    /// <summary>Rows [row, end): all increments of a few rows before the next few, in memory order.</summary>
    /// <param name="row">First row.</param>
    /// <param name="end">End of the rows.</param>
    public readonly void Run(int row, int end)
    {
        while (row < end)
        {
            var rows = NormRows.At(row, end);

            // The inputs were just computed; the output memory was last touched a step ago.
            rows.Prefetch(ref Output, Dimension);
            foreach (ref readonly NormIncrement increment in Increments)
            {
                switch (increment.Lanes)
                {
                    case 16:
                        NormKernel<Simd512>.Forward(in this, in increment, rows);
                        break;
                    case 8:
                        NormKernel<Simd256>.Forward(in this, in increment, rows);
                        break;
                    case 4:
                        NormKernel<Simd128>.Forward(in this, in increment, rows);
                        break;
                    default:
                        NormKernel<SimdScalar>.Forward(in this, in increment, rows);
                        break;
                }
            }

            row += rows.Count;
        }
    }
}
