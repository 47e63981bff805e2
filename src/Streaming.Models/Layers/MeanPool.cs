using System.Numerics.Tensors;

namespace Streaming.Models.Layers;

/// <summary>Causal mean: row t of a sequence becomes the mean of rows 0 … t.</summary>
internal static class MeanPool
{
    /// <summary>y_t = Σ_{i ≤ t} x_i / (t + 1); x and y [steps × d].</summary>
    public static void Forward(ReadOnlySpan<float> x, Span<float> y, int steps, int d)
    {
        x[..d].CopyTo(y);
        for (int t = 1; t < steps; t++)
        {
            // mean_t = mean_{t−1} + (x_t − mean_{t−1}) / (t + 1)
            Span<float> previous = y.Slice((t - 1) * d, d);
            Span<float> row = y.Slice(t * d, d);
            TensorPrimitives.Subtract(x.Slice(t * d, d), previous, row);
            TensorPrimitives.MultiplyAdd(row, 1f / (t + 1), previous, row);
        }
    }

    /// <summary>dx_i = Σ_{t ≥ i} dy_t / (t + 1), in place; [steps × d].</summary>
    public static void Backward(Span<float> gradients, int steps, int d)
    {
        for (int t = steps - 1; t >= 0; t--)
        {
            Span<float> row = gradients.Slice(t * d, d);
            TensorPrimitives.Multiply(row, 1f / (t + 1), row);
            if (t + 1 < steps)
            {
                TensorPrimitives.Add(row, gradients.Slice((t + 1) * d, d), row);
            }
        }
    }
}
